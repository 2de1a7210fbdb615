import type { Sql } from 'postgres'
import type { AuditJournal } from '#core/audit/journal.ts'
import type { LiveRedis } from '#core/job/live-redis.ts'
import { redisLogin } from '#core/job/redis-connect.ts'
import type { Log } from '#core/log.ts'
import type { LivePool } from '#core/postgres/live-pool.ts'
import { type SecretUse, secretFollower } from '#core/secret/secret-follower.ts'
import type { SecretPointers } from '#core/secret/secret-pointers.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import type { LoginSecret } from './connect-database.ts'

/** A login that a process was started with, and how it takes over the next one. */
export type Login = LoginSecret & Pick<SecretUse, 'adopt'>

/** What a process follows while it runs, logins above all, and the store that has it. */
export type Logins = {
  readonly store: Pick<SecretStore, 'read'>
  readonly pointers: SecretPointers
  readonly uses: readonly SecretUse[]
}

/** Takes both connections, and what BullMQ made of them, over to another login. */
export function adoptRedisLogin(
  { member }: LoginSecret,
  connections: readonly LiveRedis[],
): SecretUse['adopt'] {
  return async (members) => {
    const login = redisLogin(members[member] ?? '')
    await Promise.all(connections.map((connection) => connection.replace(login)))
  }
}

/** Takes all pools over to another login. */
export function adoptDatabaseLogin(
  { member }: LoginSecret,
  pools: readonly LivePool[],
): SecretUse['adopt'] {
  return async (members) => {
    const url = members[member]
    if (url === undefined) throw new Error(`the new version has no member ${member}`)
    await Promise.all(pools.map((pool) => pool.replace(url)))
  }
}

/** From here on rotated logins are taken over while the process works. */
export async function followLogins(options: {
  readonly logins: Logins | undefined
  readonly sql: Sql
  readonly journal: AuditJournal
  /** Of the process registry. */
  readonly process: string
  /** `role@host`. */
  readonly usedBy: string
  readonly log: Log
  readonly now: () => Date
  readonly stack: AsyncDisposableStack
}): Promise<void> {
  const { logins, stack, ...rest } = options
  if (logins === undefined) return
  const { store, pointers, uses } = logins
  const follower = stack.adopt(await secretFollower({ ...rest, store, pointers }), (open) =>
    open.close(),
  )
  for (const use of uses) await follower.follow(use)
}
