import { z } from 'zod'
import type { Config } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { connectUnproved, connectWorker } from '#core/job/redis-connect.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { issuerKeyTarget } from '#core/secret/rotation/issuer-key-target.ts'
import type { LoginPair } from '#core/secret/rotation/login-pair.ts'
import { postgresRoleTarget } from '#core/secret/rotation/postgres-role-target.ts'
import { redisUserTarget } from '#core/secret/rotation/redis-user-target.ts'
import type { SecretPointer } from '#core/secret/rotation/rotation-journal.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import { required } from './require-settings.ts'

/** Seconds that closing a connection may take. */
const closeSeconds = 1

const loginPair = {
  users: z.tuple([z.string().min(1), z.string().min(1)]),
  member: z.string(),
  /** The login that may change both users' passwords. */
  admin: z.string(),
}

/** How a secret is rotated: `kind` and `settings` of its pointer, as one. */
const rotationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('postgres-role'), ...loginPair }),
  z.strictObject({ kind: z.literal('redis-user'), ...loginPair }),
  z.strictObject({ kind: z.literal('issuer-key') }),
])
export type RotationKind = z.infer<typeof rotationSchema>

export type TargetOpening = {
  readonly config: Config
  readonly secrets: SecretReader
  /** Closes what the target has opened. */
  readonly stack: AsyncDisposableStack
}

/** Throws `secret.not_found` where nobody has said how the secret is rotated. */
export async function openTarget(
  opening: TargetOpening,
  name: string,
  pointer: SecretPointer | undefined,
): Promise<RotationTarget> {
  const settings = z.looseObject({}).safeParse(pointer?.settings)
  const rotation = rotationSchema.safeParse({ ...settings.data, kind: pointer?.kind })
  if (rotation.success) return await openKind(opening, rotation.data)
  const detail = `Nobody has said how ${name} is rotated; see postern secrets set-rotation --help.`
  throw new PosternError('secret.not_found', { reason: `${name} has no rotation`, detail })
}

async function openKind(opening: TargetOpening, rotation: RotationKind): Promise<RotationTarget> {
  switch (rotation.kind) {
    case 'postgres-role':
      return openPostgresRole(opening, rotation, await adminUrl(opening, rotation))
    case 'redis-user':
      return openRedisUser(opening, rotation, await adminUrl(opening, rotation))
    case 'issuer-key':
      return openIssuerKey(opening)
  }
}

async function adminUrl({ secrets }: TargetOpening, { admin }: { readonly admin: string }) {
  return await resolveCredential(secrets, admin)
}

function openPostgresRole(
  { config, stack }: TargetOpening,
  { users, member }: LoginPair,
  url: string,
): RotationTarget {
  const { POSTERN_DATABASE_CA_FILE: caFile, POSTERN_MODE: mode } = config
  const connect = (to: string) =>
    connectPostgres({ url: to, caFile, mode, applicationName: 'postern rotation', max: 1 })
  const admin = stack.adopt(connect(url), (open) => open.end({ timeout: closeSeconds }))
  return postgresRoleTarget({ users, member, admin, connect })
}

/** How long it has to wait follows from the gateways' settings, so that it takes them. */
function openIssuerKey({ config }: TargetOpening): RotationTarget {
  required(config, 'POSTERN_ISSUER')
  return issuerKeyTarget({
    ttlSecondsMax: config.POSTERN_ISSUER_TTL_SECONDS,
    jwksMaxAgeSeconds: config.POSTERN_JWKS_MAX_AGE_SECONDS,
  })
}

function openRedisUser(
  { config, stack }: TargetOpening,
  { users, member }: LoginPair,
  url: string,
): RotationTarget {
  const {
    POSTERN_REDIS_CA_FILE: caFile,
    POSTERN_REDIS_CLUSTER: cluster,
    POSTERN_MODE: mode,
  } = config
  const admin = stack.adopt(connectWorker({ url, caFile, mode, cluster }), (open) =>
    open.disconnect(),
  )
  const connect = (to: string) => connectUnproved({ url: to, caFile, mode })
  return redisUserTarget({ users, member, admin, connect })
}
