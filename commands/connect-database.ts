import type { Sql } from 'postgres'
import type { Config } from '#core/config.ts'
import { type ConnectOptions, connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { type LivePool, livePool } from '#core/postgres/live-pool.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import { parseSecretReference } from '#core/secret/secret-reference.ts'
import type { SecretMembers, SecretStore } from '#core/secret/secret-store.ts'
import { required } from './require-settings.ts'

/** Where POSTERN_DATABASE_URL leads. Throws `ConfigError`, and what the store throws. */
export async function databaseUrl(
  config: Config,
  secrets: SecretReader | undefined,
): Promise<string> {
  return await resolveCredential(secrets, required(config, 'POSTERN_DATABASE_URL'))
}

/** The secret that a setting names, as the store has it; undefined for a literal. */
export async function loginSecret(
  config: Config,
  setting: FollowedSetting,
  { secrets, store }: SecretsByVersion,
): Promise<LoginSecret | undefined> {
  const reference = parseSecretReference(required(config, setting))
  if (reference === undefined || secrets === undefined || store === undefined) return undefined
  const { name, member } = reference
  const { version } = await secrets.read(reference)
  return { name, member, version, members: await store.read(name, version) }
}

/** The settings whose secret a process follows while it runs. */
type FollowedSetting =
  | 'POSTERN_DATABASE_URL'
  | 'POSTERN_REDIS_URL'
  | 'POSTERN_WEBHOOK_KEY'
  | 'POSTERN_AUDIT_KEYS'
  | 'POSTERN_ISSUER_KEYS'

/** What reads the version in force, and any other. */
export type SecretsByVersion = {
  readonly secrets: SecretReader | undefined
  readonly store: Pick<SecretStore, 'read'> | undefined
}

export type LoginSecret = {
  readonly name: string
  readonly member: string
  readonly version: string
  readonly members: SecretMembers
}

type DatabasePool = {
  readonly use: string
  readonly connections: number
  readonly role?: DatabaseRole | undefined
  readonly statementTimeoutMs?: number
  readonly idleTransactionMs?: number
  readonly prefersIndexes?: boolean
}

/** A pool on it; `use` is what the server shows of it, behind `postern`. */
export function connectDatabase(config: Config, url: string, pool: DatabasePool): Sql {
  return connectPostgres(poolOptions(config, url, pool))
}

/** The same, for a process that takes over another login while it runs. */
export function connectLiveDatabase(config: Config, url: string, pool: DatabasePool): LivePool {
  return livePool(poolOptions(config, url, pool))
}

function poolOptions(config: Config, url: string, pool: DatabasePool): ConnectOptions {
  const { use, connections, ...rest } = pool
  return {
    url,
    caFile: config.POSTERN_DATABASE_CA_FILE,
    mode: config.POSTERN_MODE,
    applicationName: `postern ${use}`,
    max: connections,
    ...rest,
  }
}
