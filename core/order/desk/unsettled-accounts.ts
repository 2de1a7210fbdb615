import type { Sql } from 'postgres'
import { earlyBegin } from '../../postgres/early-begin.ts'
import { isWaiting } from './waiting-orders.ts'

/** Seconds after which an order's job should long have ended. */
const stuckSeconds = 60

export type UnsettledAccount = {
  readonly id: string
  /** Has orders that wait on our side, or are over by now. */
  readonly hasWaiting: boolean
  /** Has orders whose job was given up. */
  readonly hasStuck: boolean
}

/** Of an order `o` that does not wait on our side. */
export function isStuck(sql: Sql) {
  return sql`(o.is_unsettled and o.status <> 'held'
    and o.updated_at < now() - make_interval(secs => ${stuckSeconds}))`
}

/**
 * Accounts with orders on their way, by ONE walk through the index that holds only these: it is short, and
 * a thousand look-ups in it are not. A bitmap would visit every order that has left the index since it was
 * last vacuumed.
 */
export async function readUnsettled(sql: Sql, now: Date): Promise<readonly UnsettledAccount[]> {
  let accounts: readonly UnsettledAccount[] = []
  await sql.begin(`${earlyBegin} read only`, async (transaction) => {
    await transaction`set local enable_bitmapscan = off`
    accounts = await transaction<UnsettledAccount[]>`
      select o.account as id, coalesce(bool_or(${isWaiting(sql, now)}), false) as "hasWaiting",
        coalesce(bool_or(${isStuck(sql)}), false) as "hasStuck"
      from postern_order o join postern_account a on a.id = o.account
        join postern_market m on m.clock = a.clock
      where o.is_unsettled group by o.account order by o.account`
  })
  return accounts
}
