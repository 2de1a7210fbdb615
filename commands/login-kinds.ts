import { z } from 'zod'
import { connectUnproved, connectWorker } from '#core/job/redis-connect.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { elastiCacheUsers } from '#core/secret/aws/elasticache-users.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { elastiCacheUserTarget } from '#core/secret/rotation/elasticache-user-target.ts'
import { postgresRoleTarget } from '#core/secret/rotation/postgres-role-target.ts'
import { redisUserTarget } from '#core/secret/rotation/redis-user-target.ts'
import { isMemberName, parseSecretReference } from '#core/secret/secret-reference.ts'
import { isSecureUrl } from '#core/secret/secure-url.ts'
import {
  type KindOptions,
  refusePlainHttp,
  rotationKind,
  type TargetOpening,
} from './rotation-kind.ts'

/** Seconds that closing a connection may take. */
const closeSeconds = 1
const memberDefault = 'url'

const twoLogins = '--users names two logins, parted by a comma'
const pairSchema = z
  .tuple([z.string().min(1), z.string().min(1)], twoLogins)
  .refine(([first, second]) => first !== second, twoLogins)
/** A literal would stand in the pointer, and in the record of who said so. */
const adminSchema = z
  .string()
  .refine(
    (text) => parseSecretReference(text) !== undefined,
    '--admin is of the form secret:<name>#<member>',
  )
const schema = z.strictObject({
  users: pairSchema,
  member: z.string().refine(isMemberName, '--member names a member of the secret'),
  /** The login that may change both users' passwords. */
  admin: adminSchema,
})
type LoginSettings = z.infer<typeof schema>

const loginKind = {
  needs: ['users', 'admin'],
  takes: ['member'],
  schema,
  settingsOf: ({ users, member = memberDefault, admin }: KindOptions) => ({
    ...{ users: users?.split(','), member, admin },
  }),
  saying: ({ users: [first, second] }: Pick<LoginSettings, 'users'>) =>
    `${first} and ${second} take turns`,
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

const cloudSchema = schema.extend({
  user_ids: pairSchema,
  region: z.string().regex(/^[a-z0-9-]{1,32}$/, '--region names a region of AWS'),
  endpoint: z.string().refine(isSecureUrl, '--endpoint is an https URL without a user').optional(),
  /** A login that may run `CLIENT`; else the one that is kept. */
  admin: adminSchema.optional(),
})

export const elastiCacheUserKind = rotationKind({
  needs: ['users', 'userIds', 'region'],
  takes: ['member', 'admin', 'endpoint'],
  schema: cloudSchema,
  settingsOf: ({ users, userIds, member = memberDefault, ...rest }) => ({
    ...{ ...rest, users: users?.split(','), user_ids: userIds?.split(','), member },
  }),
  saying: loginKind.saying,
  async open(opening, { users, user_ids: userIds, member, region, endpoint, admin: reference }) {
    refusePlainHttp(opening, endpoint)
    const url = reference && (await resolveCredential(opening.secrets, reference))
    return elastiCacheUserTarget({
      ...{ users, userIds, member, connect: redisConnect(opening) },
      api: elastiCacheUsers({ region, endpoint }),
      admin: (kept) => {
        const to = url ?? kept?.[member]
        return to === undefined ? undefined : openRedis(opening, to)
      },
    })
  },
})

export const redisUserKind = rotationKind({
  ...loginKind,
  async open(opening, { users, member, admin }) {
    return redisUserTarget({
      ...{ users, member, connect: redisConnect(opening) },
      admin: openRedis(opening, await resolveCredential(opening.secrets, admin)),
    })
  },
})

function redisConnect({ config }: TargetOpening) {
  const { POSTERN_REDIS_CA_FILE: caFile, POSTERN_MODE: mode } = config
  return (url: string) => connectUnproved({ url, caFile, mode })
}

function openRedis({ config, stack }: TargetOpening, url: string) {
  const {
    POSTERN_REDIS_CA_FILE: caFile,
    POSTERN_REDIS_CLUSTER: cluster,
    POSTERN_MODE: mode,
  } = config
  return stack.adopt(connectWorker({ url, caFile, mode, cluster }), (open) => open.disconnect())
}
