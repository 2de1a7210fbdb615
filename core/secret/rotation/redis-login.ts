import { Cluster, type Redis } from 'ioredis'
import { PosternError } from '../../errors.ts'
import type { SecretMembers } from '../secret-store.ts'
import { urlIn } from './login-pair.ts'
import type { HeldSession } from './rotation-target.ts'

/** Milliseconds between two looks for connections: a login under way shows up late. */
const sessionScanMs = 1_000
const sessionScansMax = 20

/** A connection that has said nothing yet; the caller ends it. */
export type RedisConnect = (url: string) => Redis

/** False where the server refuses the login. Throws `secret.target_unavailable`. */
export async function isLetIn(
  connect: RedisConnect,
  members: SecretMembers,
  member: string,
): Promise<boolean> {
  const { href, username, password } = urlIn(members, member)
  const connection = connect(href)
  try {
    await connection.connect()
    await connection.auth(decodeURIComponent(username), decodeURIComponent(password))
    return true
  } catch (error) {
    if (isWrongPassword(error)) return false
    throw redisUnavailable(error)
  } finally {
    connection.disconnect()
  }
}

/** Of one connection, which is never opened again by itself; undefined where the login is refused. */
export async function holdSession(
  connect: RedisConnect,
  members: SecretMembers,
  member: string,
): Promise<HeldSession | undefined> {
  const { href, username, password } = urlIn(members, member)
  const connection = connect(href)
  try {
    await connection.connect()
    await connection.auth(decodeURIComponent(username), decodeURIComponent(password))
  } catch (error) {
    connection.disconnect()
    if (isWrongPassword(error)) return undefined
    throw redisUnavailable(error)
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

/** Throws `secret.target_unavailable`, and what `run` throws of ours. */
export async function eachNode(
  admin: Redis | Cluster,
  run: (node: Redis) => Promise<void>,
): Promise<void> {
  try {
    for (const node of await nodesOf(admin)) await run(node)
  } catch (error) {
    throw redisUnavailable(error)
  }
}

/** A cluster knows its nodes once it has answered. */
async function nodesOf(admin: Redis | Cluster): Promise<readonly Redis[]> {
  if (!(admin instanceof Cluster)) return [admin]
  await admin.ping()
  return admin.nodes('all')
}

/** Ends the connections of a user that cannot log in any more, until two looks in a row find none. */
export async function endSessions(node: Redis, user: string): Promise<void> {
  let isQuiet = false
  for (let scan = 0; scan < sessionScansMax; scan += 1) {
    const ended = Number(await node.call('CLIENT', 'KILL', 'USER', user))
    if (ended === 0 && isQuiet) return
    isQuiet = ended === 0
    await Bun.sleep(isQuiet ? sessionScanMs : sessionScanMs / 10)
  }
  throw new Error(`connections of ${user} do not end`)
}

function redisUnavailable(cause: unknown): PosternError {
  if (cause instanceof PosternError) return cause
  const word = cause instanceof Error ? (cause.message.split(' ', 1)[0] ?? '') : ''
  const reason = `the Redis server of the secret: ${word === '' ? 'no answer' : word}`
  return new PosternError('secret.target_unavailable', { reason, cause })
}
