import { z } from 'zod'
import { connectUnproved, connectWorker } from '#core/job/redis-connect.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { postgresRoleTarget } from '#core/secret/rotation/postgres-role-target.ts'
import { redisUserTarget } from '#core/secret/rotation/redis-user-target.ts'
import { isMemberName } from '#core/secret/secret-reference.ts'
import { type KindOptions, rotationKind, type TargetOpening } from './rotation-kind.ts'

/** Seconds that closing a connection may take. */
const closeSeconds = 1
const memberDefault = 'url'

const twoLogins = '--users names two logins, parted by a comma'
const pairSchema = z
  .tuple([z.string().min(1), z.string().min(1)], twoLogins)
  .refine(([first, second]) => first !== second, twoLogins)
const schema = z.strictObject({
  users: pairSchema,
  member: z.string().refine(isMemberName, '--member names a member of the secret'),
  /** The login that may change both users' passwords. */
  admin: z.string(),
})
type LoginSettings = z.infer<typeof schema>

const loginKind = {
  needs: ['users', 'admin'],
  takes: ['member'],
  schema,
  settingsOf: ({ users, member = memberDefault, admin }: KindOptions) => ({
    ...{ users: users?.split(','), member, admin },
  }),
  saying: ({ users: [first, second] }: LoginSettings) => `${first} and ${second} take turns`,
} as const

export const postgresRoleKind = rotationKind({
  ...loginKind,
  async open({ config, secrets, stack }, { users, member, admin: reference }) {
    const { POSTERN_DATABASE_CA_FILE: caFile, POSTERN_MODE: mode } = config
    const connect = (url: string) =>
      connectPostgres({ url, caFile, mode, applicationName: 'postern rotation', max: 1 })
    const admin = stack.adopt(connect(await resolveCredential(secrets, reference)), (open) =>
      open.end({ timeout: closeSeconds }),
    )
    return postgresRoleTarget({ users, member, admin, connect })
  },
})

export const redisUserKind = rotationKind({
  ...loginKind,
  async open(opening, { users, member, admin }) {
    return redisUserTarget({
      ...{ users, member, connect: redisConnect(opening) },
      admin: await openRedisAdmin(opening, admin),
    })
  },
})

function redisConnect({ config }: TargetOpening) {
  const { POSTERN_REDIS_CA_FILE: caFile, POSTERN_MODE: mode } = config
  return (url: string) => connectUnproved({ url, caFile, mode })
}

async function openRedisAdmin({ config, secrets, stack }: TargetOpening, reference: string) {
  const {
    POSTERN_REDIS_CA_FILE: caFile,
    POSTERN_REDIS_CLUSTER: cluster,
    POSTERN_MODE: mode,
  } = config
  const url = await resolveCredential(secrets, reference)
  return stack.adopt(connectWorker({ url, caFile, mode, cluster }), (open) => open.disconnect())
}
