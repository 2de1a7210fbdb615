import type { Sql } from 'postgres'
import type { AuditJournal } from '#core/audit/journal.ts'
import type { Log } from '#core/log.ts'
import type { LivePool } from '#core/postgres/live-pool.ts'
import { type SecretUse, secretFollower } from '#core/secret/secret-follower.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import type { DatabaseSecret } from './connect-database.ts'

/** The secret that opens Postgres for a process, and the pools that it opened with it. */
export type DatabaseLogin = DatabaseSecret & {
  readonly store: Pick<SecretStore, 'read'>
  readonly adopt: SecretUse['adopt']
}

/** Takes all pools over to another login. */
export function adoptLogin(
  { member }: DatabaseSecret,
  pools: readonly LivePool[],
): SecretUse['adopt'] {
  return async (members) => {
    const url = members[member]
    if (url === undefined) throw new Error(`the new version has no member ${member}`)
    await Promise.all(pools.map((pool) => pool.replace(url)))
  }
}

/** From here on a rotated login is taken over while the process works. */
export async function followDatabaseLogin(options: {
  readonly login: DatabaseLogin | undefined
  readonly sql: Sql
  readonly journal: AuditJournal
  /** Of the process registry. */
  readonly process: string
  readonly log: Log
  readonly now: () => Date
  readonly stack: AsyncDisposableStack
}): Promise<void> {
  const { login, stack, ...rest } = options
  if (login === undefined) return
  const { store, name, version, members, adopt } = login
  const follower = stack.adopt(await secretFollower({ ...rest, store }), (open) => open.close())
  await follower.follow({ name, version, members, adopt })
}
