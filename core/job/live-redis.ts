import { Cluster, type Redis } from 'ioredis'

export type RedisLogin = { readonly username: string; readonly password: string }

/** A connection to Redis, with all that BullMQ makes of it, whose login can be replaced in use. */
export type LiveRedis<Connection extends Redis | Cluster = Redis | Cluster> = {
  readonly connection: Connection
  /**
   * Authenticates every open connection anew: nothing is closed, and what was sent before is
   * answered before. A blocking read ends first, at the latest after 10 s. Whatever
   * connects from then on has the new login. Rejects, with the old one kept, where it is refused.
   */
  replace(login: RedisLogin): Promise<void>
}

/** An `AUTH` on an open connection changes its user (Redis 6): sessions need not be closed. */
export function liveRedis<Connection extends Redis | Cluster>(
  connection: Connection,
): LiveRedis<Connection> {
  const connections = new Set<Redis | Cluster>()
  follow(connection, connections)
  return {
    connection,
    async replace(login) {
      // The first is never in a blocking read: it says at once whether the login is let in.
      await authenticate(connection, login)
      const copies = [...connections].filter((open) => open !== connection)
      await Promise.all(copies.map((open) => authenticate(open, login)))
      // Made meanwhile, with the login of the connection that they were made of.
      const late = [...connections].filter((open) => open !== connection && !copies.includes(open))
      await Promise.all(late.map((open) => authenticate(open, login)))
    },
  }
}

/**
 * BullMQ duplicates a connection for its blocking reads; the copies are followed too. One that has ended
 * as well: a process that stood still ends them, and BullMQ connects them again.
 */
function follow(connection: Redis | Cluster, connections: Set<Redis | Cluster>): void {
  connections.add(connection)
  if (connection instanceof Cluster) {
    const duplicate = connection.duplicate.bind(connection)
    connection.duplicate = (...values) => {
      const copy = duplicate(...values)
      follow(copy, connections)
      return copy
    }
    return
  }
  const duplicate = connection.duplicate.bind(connection)
  connection.duplicate = (...values) => {
    const copy = duplicate(...values)
    follow(copy, connections)
    return copy
  }
}

/**
 * Whatever connects from here on has the new login already: a connection that is ended while it is
 * in a blocking read would else come back with the old one for ever, and keep us waiting as long.
 */
async function authenticate(connection: Redis | Cluster, login: RedisLogin): Promise<void> {
  const nodes = connection instanceof Cluster ? connection.nodes('all') : [connection]
  for (const node of nodes) {
    const { username, password } = node.options
    Object.assign(node.options, login)
    if (node.status !== 'ready') continue
    await node.auth(login.username, login.password).catch((error: unknown) => {
      Object.assign(node.options, { username, password })
      throw error
    })
  }
  if (connection instanceof Cluster) {
    connection.options.redisOptions = { ...connection.options.redisOptions, ...login }
  }
}
