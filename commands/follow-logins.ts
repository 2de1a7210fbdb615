import type { Sql } from 'postgres'
import type { AuditJournal } from '#core/audit/journal.ts'
import { PosternError } from '#core/errors.ts'
import { invariant } from '#core/invariant.ts'
import type { LiveRedis } from '#core/job/live-redis.ts'
import { redisLogin } from '#core/job/redis-connect.ts'
import type { Log } from '#core/log.ts'
import type { LivePool } from '#core/postgres/live-pool.ts'
import { type FollowedStore, type SecretUse, secretFollower } from '#core/secret/secret-follower.ts'
import type { SecretPointers } from '#core/secret/secret-pointers.ts'
import type { LoginSecret } from './connect-database.ts'
import { endLockedOut } from './process-life.ts'

/** What a process logs in or signs with, and the store that has it. */
export type Logins = {
  readonly store: FollowedStore
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
export function databaseUse(secret: LoginSecret, pools: readonly LivePool[]): SecretUse {
  const { member } = secret
  return {
    ...secret,
    async adopt(members) {
      const url = members[member]
      if (url === undefined) throw new Error(`the new version has no member ${member}`)
      await Promise.all(pools.map((pool) => pool.replace(url)))
    },
    opensSame: (members) => placeOf(members[member]) === placeOf(secret.members[member]),
  }
}

/** All of a URL but who logs in. */
function placeOf(text = ''): string {
  const url = new URL(text)
  ;[url.username, url.password] = ['', '']
  return url.href
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
  const onLockedOut = endLockedOut(rest.log)
  const follower = stack.adopt(
    await secretFollower({ ...rest, store, pointers, onLockedOut }),
    (open) => open.close(),
  )
  for (const use of usesByName(uses)) await follower.follow(use)
}

/** One secret may hold two credentials: what is proved of it is proved of both. */
export function usesByName(uses: readonly SecretUse[]): readonly SecretUse[] {
  return [...Map.groupBy(uses, ({ name }) => name)].map(([name, all]) => {
    const [first, ...more] = all
    invariant(first !== undefined, 'a group has a member')
    if (more.some(({ version }) => version !== first.version)) {
      const reason = `${name} was changed while this process started: start it again`
      throw new PosternError('secret.unavailable', { reason })
    }
    const adopt: SecretUse['adopt'] = async (members) => {
      for (const use of all) await use.adopt(members)
    }
    const opensSame = all.find((use) => use.opensSame !== undefined)?.opensSame
    return { ...first, adopt, ...(opensSame === undefined ? {} : { opensSame }) }
  })
}
