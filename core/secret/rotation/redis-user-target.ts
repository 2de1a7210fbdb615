import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { z } from 'zod'
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

export type RedisUserOptions = LoginPair & {
  /** The rotator's own login: may run ACL, CLIENT and, without an ACL file, CONFIG REWRITE. */
  readonly admin: Redis | Cluster
  readonly connect: RedisConnect
}

/**
 * A Redis login that is two ACL users in turn, with the same rules, on every node: ACL changes are
 * not replicated. The server gets the SHA-256 of a password, never the password itself.
 */
export function redisUserTarget(options: RedisUserOptions): LoginTarget {
  const { admin, member } = options

  const isIn = (members: SecretMembers) => isLetIn(options.connect, members, member)

  return {
    generate: (current) => otherLogin(current, options),
    async set(succession) {
      if (await isIn(succession.pending)) return
      const { from, to, password } = loginsIn(succession, member)
      if (!succession.isUrgent && !(await isIn(succession.current))) {
        throw targetRefused('the login in force is not let in at this server')
      }
      await eachNode(admin, (node) => setUser(node, { from, to, password }))
    },
    async test({ current, pending }) {
      if (!(await isIn(pending))) throw targetRefused('the pending login is not let in')
      const { from, to } = loginsIn({ current, pending }, member)
      await eachNode(admin, async (node) => {
        const [rules, pendingRules] = [await rulesOf(node, from), await rulesOf(node, to)]
        if (rules?.join(' ') !== pendingRules?.join(' ')) {
          throw targetRefused('the pending login has other rules than the one in force')
        }
      })
    },
    async retire({ retired }) {
      const user = userIn(retired, member)
      await eachNode(admin, (node) => endUser(node, user))
    },
    isRefused: async (retired) => !(await isIn(retired)),
    logins: {
      users: options.users,
      userOf: (members) => userIn(members, member),
      endUser: (user) => eachNode(admin, (node) => endUser(node, user)),
      hold: (members) => holdSession(options.connect, members, member),
    },
  }
}

const aclSchema = z.array(z.unknown()).transform((reply) => {
  const rules = new Map<string, string>()
  for (let at = 0; at + 1 < reply.length; at += 2) {
    rules.set(String(reply[at]), String(reply[at + 1]))
  }
  return rules
})

/** As `ACL SETUSER` takes them again; undefined for a user that is not there. */
async function rulesOf(node: Redis, user: string): Promise<readonly string[] | undefined> {
  const reply: unknown = await node.call('ACL', 'GETUSER', user)
  if (reply === null) return undefined
  const rules = aclSchema.parse(reply)
  return ['keys', 'channels', 'commands'].flatMap((part) =>
    (rules.get(part) ?? '').split(' ').filter((rule) => rule !== ''),
  )
}

type SetUser = { readonly from: string; readonly to: string; readonly password: string }

async function setUser(node: Redis, { from, to, password }: SetUser): Promise<void> {
  const rules = await rulesOf(node, from)
  if (rules === undefined) throw targetRefused(`a node has no user ${from}`)
  const hash = createHash('sha256').update(password).digest('hex')
  await node.call('ACL', 'SETUSER', to, 'reset', 'on', `#${hash}`, ...rules)
  await persist(node)
}

/** A server that forgets its users with a restart would lock everybody out. */
async function persist(node: Redis): Promise<void> {
  try {
    await node.call('ACL', 'SAVE')
  } catch {
    await node.call('CONFIG', 'REWRITE').catch(() => {
      throw targetRefused('users would be gone after a restart: give the server an aclfile')
    })
  }
}

/** No login first, then the connections, until two looks in a row have found none. */
async function endUser(node: Redis, user: string): Promise<void> {
  if ((await rulesOf(node, user)) === undefined) return
  await node.call('ACL', 'SETUSER', user, 'off', 'resetpass')
  await persist(node)
  await endSessions(node, user)
}
