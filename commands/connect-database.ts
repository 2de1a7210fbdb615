import type { Sql } from 'postgres'
import type { Config } from '#core/config.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { required } from './require-settings.ts'

/** Where POSTERN_DATABASE_URL leads. Throws `ConfigError`, and what the store throws. */
export async function databaseUrl(
  config: Config,
  secrets: SecretStore | undefined,
): Promise<string> {
  return await resolveCredential(secrets, required(config, 'POSTERN_DATABASE_URL'))
}

/** A pool on it; `use` is what the server shows of it, behind `postern`. */
export function connectDatabase(
  config: Config,
  url: string,
  pool: {
    readonly use: string
    readonly connections: number
    readonly role?: DatabaseRole | undefined
    readonly statementTimeoutMs?: number
    readonly idleTransactionMs?: number
    readonly prefersIndexes?: boolean
  },
): Sql {
  const { use, connections, ...rest } = pool
  return connectPostgres({
    url,
    caFile: config.POSTERN_DATABASE_CA_FILE,
    mode: config.POSTERN_MODE,
    applicationName: `postern ${use}`,
    max: connections,
    ...rest,
  })
}
