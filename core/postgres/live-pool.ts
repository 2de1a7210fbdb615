import type { ListenMeta, Sql } from 'postgres'
import { type ConnectOptions, connectPool, type Pool } from './connect.ts'
import { isLoginRefused } from './outage.ts'
import type { ConnectionCount } from './pool-sockets.ts'

/** Milliseconds between two looks at a pool that is to be closed. */
const lookMs = 50
/** Milliseconds without a statement: whoever got hold of the old pool has sent what it wanted. */
const quietMs = 1_000
/** Milliseconds; a statement that is still running then is ended with its connection. */
const drainMsMax = 60_000
/** Seconds that closing connections without a statement may take. */
const closeSeconds = 1

/** A pool whose login can be replaced while it is in use. */
export type LivePool = {
  /** The same object for as long as it lives. */
  readonly sql: Sql
  /**
   * Statements go to the server with the new login from now on, and what listens listens there too,
   * without a gap. Resolves when the old login has answered all that it was asked, transactions and
   * all, and its sessions are closed. Rejects, with nothing changed, where the new login is refused.
   */
  replace(url: string): Promise<void>
  /** Of the pool of the moment. */
  connections(): ConnectionCount
}

type Listening = {
  readonly channel: string
  readonly onNotify: (value: string) => void
  readonly onListen: (() => void) | undefined
  handle: ListenMeta
}

/**
 * A postgres.js pool has one user for ever: behind this one pools follow each other. Two calls of
 * `replace` at once are not allowed.
 */
export function livePool(options: ConnectOptions): LivePool {
  let current = connectPool(options)
  let url = options.url
  const listenings = new Set<Listening>()

  const listen: Sql['listen'] = async (channel, onNotify, onListen) => {
    const pool = current
    const handle = await pool.sql.listen(channel, onNotify, onListen)
    if (pool !== current) {
      await handle.unlisten().catch(() => undefined)
      return await listen(channel, onNotify, onListen)
    }
    const listening: Listening = { channel, onNotify, onListen, handle }
    listenings.add(listening)
    return {
      ...handle,
      async unlisten() {
        listenings.delete(listening)
        await listening.handle.unlisten()
      },
    }
  }

  /** Nobody holds it: each call and each member is that of the pool of the moment. */
  const sql = new Proxy(current.sql, {
    apply: (_first, _this, values) => Reflect.apply(current.sql, undefined, values),
    get: (_first, member) => (member === 'listen' ? listen : Reflect.get(current.sql, member)),
  })

  return {
    sql,
    connections: () => current.connections(),
    async replace(nextUrl) {
      const next = connectPool({ ...options, url: nextUrl })
      const [old, oldUrl] = [current, url]
      const followed = await followTo(next, listenings).catch(async (error: unknown) => {
        await next.sql.end({ timeout: closeSeconds })
        throw error
      })
      current = next
      url = nextUrl
      const before = followed.map(({ listening }) => listening.handle)
      for (const { listening, handle } of followed) listening.handle = handle
      await drain(old, before, () => isRefused({ ...options, url: oldUrl }))
    },
  }
}

async function followTo({ sql }: Pool, listenings: ReadonlySet<Listening>) {
  await sql`select session_user`
  return await Promise.all(
    [...listenings].map(async (listening) => {
      const { channel, onNotify, onListen } = listening
      return { listening, handle: await sql.listen(channel, onNotify, onListen) }
    }),
  )
}

/**
 * A pool that is told to end forgets what waits for a connection: it must have nothing to do. What
 * it was notified of before the new one listened may be on its way until then.
 */
async function drain(
  pool: Pool,
  listening: readonly ListenMeta[],
  isRefusedNow: () => Promise<boolean>,
): Promise<void> {
  const endsAt = performance.now() + drainMsMax
  let quietSince = performance.now()
  let lookedAt = quietSince
  let isDead = false
  for (;;) {
    await Bun.sleep(lookMs)
    const now = performance.now()
    if (!pool.isIdle()) quietSince = now
    if (isDead || now - quietSince >= quietMs || now >= endsAt) break
    if (quietSince < now || now - lookedAt < quietMs) continue
    lookedAt = now
    void isRefusedNow().then((is) => {
      isDead = is
    })
  }
  if (isDead) {
    // Its sessions were ended from outside, and what listens logs in again and again: to close it
    // in order it would have to be let in.
    await pool.sql.end({ timeout: 0 })
    return
  }
  // A channel that is still listened to is opened again when its pool is closed.
  for (const { unlisten } of listening) await unlisten().catch(() => undefined)
  // One that runs behind another on its connection is not seen from here, but waited for.
  await Promise.race([pool.sql.end({ timeout: drainMsMax / 1_000 }), closed(pool)])
}

/** Of a connection that dies while it is to end, postgres.js waits for the end for ever. */
async function closed(pool: Pool): Promise<void> {
  const endsAt = performance.now() + drainMsMax
  while (!pool.isClosed() && performance.now() < endsAt) await Bun.sleep(lookMs)
}

/** Asked anew: in a pool whose sessions are being ended a statement may fail of that. */
async function isRefused(options: ConnectOptions): Promise<boolean> {
  const { sql } = connectPool({ ...options, max: 1 })
  try {
    await sql`select 1`
    return false
  } catch (error) {
    return isLoginRefused(error)
  } finally {
    await sql.end({ timeout: closeSeconds })
  }
}
