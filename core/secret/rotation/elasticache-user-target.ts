import { randomBytes } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { ElastiCacheUser, ElastiCacheUsers } from '../aws/elasticache-users.ts'
import type { SecretMembers } from '../secret-store.ts'
import {
  type LoginPair,
  type LoginTarget,
  loginsIn,
  otherLogin,
  targetRefused,
  userIn,
} from './login-pair.ts'
import { eachNode, endSessions, holdSession, isLetIn, type RedisConnect } from './redis-login.ts'

/** A user of the password mode has one password at least; nobody knows this one. */
const unknownPasswordBytes = 32
/** Lets nobody in, and nobody who is in do anything. */
const offRules = 'off -@all'

export type ElastiCacheUserOptions = LoginPair & {
  /** In the order of `users`. */
  readonly userIds: readonly [string, string]
  readonly api: ElastiCacheUsers
  readonly connect: RedisConnect
  /**
   * A login that may run `CLIENT`; made of the one that is kept where there is no other. Undefined
   * where there is neither.
   */
  readonly admin: (kept: SecretMembers | undefined) => Redis | Cluster | undefined
}

/**
 * A Redis login of ElastiCache that is two users of one group in turn, with the same access string.
 * `ACL` is the cloud's there: users are changed by its API, which has reached every node once a
 * user is `active` again. Logins are tried at the endpoint itself.
 */
export function elastiCacheUserTarget(options: ElastiCacheUserOptions): LoginTarget {
  const { api, member, users, userIds, connect } = options
  const isIn = (members: SecretMembers) => isLetIn(connect, members, member)

  /** Throws `secret.target_refused` where the id belongs to another user than the login says. */
  async function userOf(login: string): Promise<ElastiCacheUser> {
    const id = userIds[users.indexOf(login)]
    if (id === undefined) throw targetRefused(`${login} is neither ${users.join(' nor ')}`)
    const user = await api.settled(id)
    if (user.name === login) return user
    throw targetRefused(`the user ${id} is ${user.name}, not ${login}`)
  }

  async function endLogin(login: string, kept: SecretMembers | undefined): Promise<void> {
    const { id } = await userOf(login)
    const password = randomBytes(unknownPasswordBytes).toString('base64url')
    await api.change(id, { accessString: offRules, password })
    const admin = options.admin(kept)
    // What is left open may run no command.
    if (admin === undefined)
      throw targetRefused('--admin of set-rotation names who ends connections')
    await eachNode(admin, (node) => endSessions(node, login))
  }

  return {
    generate: (current) => otherLogin(current, options),
    async set(succession) {
      const { from, to, password } = loginsIn(succession, member)
      const [user, next] = [await userOf(from), await userOf(to)]
      if (await isIn(succession.pending)) return
      if (!user.groups.some((group) => next.groups.includes(group))) {
        throw targetRefused(`${user.id} and ${next.id} are in no user group together`)
      }
      if (!succession.isUrgent && !(await isIn(succession.current))) {
        throw targetRefused('the login in force is not let in at this server')
      }
      await api.change(next.id, { accessString: user.accessString, password })
    },
    async test({ current, pending }) {
      const { from, to } = loginsIn({ current, pending }, member)
      const [user, next] = [await userOf(from), await userOf(to)]
      if (!(await isIn(pending))) throw targetRefused('the pending login is not let in')
      if (user.accessString !== next.accessString) {
        throw targetRefused('the pending login has another access string than the one in force')
      }
    },
    retire: ({ kept, retired }) => endLogin(userIn(retired, member), kept),
    isRefused: async (retired) => !(await isIn(retired)),
    logins: {
      users,
      userOf: (members) => userIn(members, member),
      endUser: (login) => endLogin(login, undefined),
      hold: (members) => holdSession(connect, members, member),
    },
  }
}
