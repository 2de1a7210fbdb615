import { createHash } from 'node:crypto'
import { Cluster, type Redis } from 'ioredis'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import type { SecretMembers } from '../secret-store.ts'
import {
  type LoginPair,
  type LoginTarget,
  loginsIn,
  otherLogin,
  targetRefused,
  urlIn,
  userIn,
} from './login-pair.ts'
import type { HeldSession } from './rotation-target.ts'

/** Milliseconds between two looks for connections: a login under way shows up late. */
const sessionScanMs = 1_000
const sessionScansMax = 20

export type RedisUserOptions = LoginPair & {
  /** The rotator's own login: may run ACL, CLIENT and, without an ACL file, CONFIG REWRITE. */
  readonly admin: Redis | Cluster
  /** A connection that has said nothing yet; the caller ends it. */
  readonly connect: (url: string) => Redis
}

/**
 * A Redis login that is two ACL users in turn, with the same rules, on every node: ACL changes are
 * not replicated. The server gets the SHA-256 of a password, never the password itself.
 */
export function redisUserTarget(options: RedisUserOptions): LoginTarget {
  const { admin, member } = options

  /** False where the server refuses the login. */
  async function isLetIn(members: SecretMembers): Promise<boolean> {
    const { href, username, password } = urlIn(members, member)
    const connection = options.connect(href)
    try {
      await connection.connect()
      await connection.auth(decodeURIComponent(username), decodeURIComponent(password))
      return true
    } catch (error) {
      if (isWrongPassword(error)) return false
      throw targetUnavailable(error)
    } finally {
      connection.disconnect()
    }
  }

  return {
    generate: (current) => otherLogin(current, options),
    async set(succession) {
      if (await isLetIn(succession.pending)) return
      const { from, to, password } = loginsIn(succession, member)
      if (!(await isLetIn(succession.current))) {
        throw targetRefused('the login in force is not let in at this server')
      }
      await eachNode(admin, (node) => setUser(node, { from, to, password }))
    },
    async test({ current, pending }) {
      if (!(await isLetIn(pending))) throw targetRefused('the pending login is not let in')
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
    isRefused: async (retired) => !(await isLetIn(retired)),
    logins: {
      users: options.users,
      userOf: (members) => userIn(members, member),
      endUser: (user) => eachNode(admin, (node) => endUser(node, user)),
      hold: (members) => holdSession(options.connect, urlIn(members, member)),
    },
  }
}

/** Of one connection, which is never opened again by itself. */
async function holdSession(
  connect: RedisUserOptions['connect'],
  { href, username, password }: URL,
): Promise<HeldSession | undefined> {
  const connection = connect(href)
  try {
    await connection.connect()
    await connection.auth(decodeURIComponent(username), decodeURIComponent(password))
  } catch (error) {
    connection.disconnect()
    if (isWrongPassword(error)) return undefined
    throw targetUnavailable(error)
  }
  const ask = async () => await connection.call('ACL', 'WHOAMI')
  return {
    isOpen: () =>
      ask().then(
        () => true,
        // A user that may not ask who he is has a session all the same.
        (error: unknown) => error instanceof Error && error.message.startsWith('NOPERM'),
      ),
    close: () => Promise.resolve(connection.disconnect()),
  }
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGPASS')
}

async function eachNode(
  admin: Redis | Cluster,
  run: (node: Redis) => Promise<void>,
): Promise<void> {
  try {
    for (const node of admin instanceof Cluster ? admin.nodes('all') : [admin]) await run(node)
  } catch (error) {
    throw targetUnavailable(error)
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
  let isQuiet = false
  for (let scan = 0; scan < sessionScansMax; scan += 1) {
    const ended = Number(await node.call('CLIENT', 'KILL', 'USER', user))
    if (ended === 0 && isQuiet) return
    isQuiet = ended === 0
    await Bun.sleep(isQuiet ? sessionScanMs : sessionScanMs / 10)
  }
  throw new Error(`connections of ${user} do not end`)
}

function targetUnavailable(cause: unknown): PosternError {
  if (cause instanceof PosternError) return cause
  const word = cause instanceof Error ? (cause.message.split(' ', 1)[0] ?? '') : ''
  const reason = `the Redis server of the secret: ${word === '' ? 'no answer' : word}`
  return new PosternError('secret.target_unavailable', { reason, cause })
}
