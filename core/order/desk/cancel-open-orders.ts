import type { Sql } from 'postgres'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'
import { type DeskOrder, isOpenOrder } from './desk-view.ts'
import type { SwitchName } from './trading-switch.ts'

/** Orders moved in one transaction; meanwhile their account waits. */
const ordersPerCommit = 200

export type HaltedOrders = {
  /** Of those that no venue had. */
  readonly canceled: number
  /** Asked for at the venue, which may still fill them until it answers. */
  readonly canceling: number
  /** On their way to the venue, or with a request under way: whoever takes them on cancels them. */
  readonly left: number
}

/**
 * Cancels every open order that a switch concerns. The switch is committed: orders decided before
 * it are waited for, those after it are refused.
 */
export async function cancelOpenOrders(
  desk: DeskConnection,
  name: SwitchName,
): Promise<HaltedOrders> {
  await waitForEntries(desk.sql, name)
  const total = { canceled: 0, canceling: 0, left: 0 }
  for (const account of await accountsWithOrders(desk.sql, name)) {
    for await (const fates of cancelAccount(desk, name, account)) {
      for (const fate of fates) if (fate !== undefined) total[fate] += 1
    }
  }
  return total
}

type Fate = keyof HaltedOrders | undefined

async function* cancelAccount(
  desk: DeskConnection,
  name: SwitchName,
  account: string,
): AsyncGenerator<readonly Fate[]> {
  let after: string | undefined = firstId
  while (after !== undefined) {
    const ids: readonly string[] = await openOrders(desk.sql, name, { account, after })
    if (ids.length > 0) {
      yield await deskTransaction(desk, { accounts: [account], orders: ids }, (work) =>
        ids.map((id) => cancelOne(work, work.desk.order(id))),
      )
    }
    after = ids.at(-1)
  }
}

/** Less than any UUIDv7. */
const firstId = '00000000-0000-0000-0000-000000000000'

/**
 * An order is decided with its account locked, by the switches as they are then. Once each lock was
 * free for a moment, no transaction is left that has not seen this one.
 */
async function waitForEntries(sql: Sql, { scope, key }: SwitchName): Promise<void> {
  await sql`
    select id from postern_account ${scope === 'account' ? sql`where id = ${key}` : sql``}
    order by id for share`
}

function concerned(sql: Sql, { scope, key }: SwitchName) {
  return scope === 'global' ? sql`` : sql`and ${sql(scope)} = ${key}`
}

async function accountsWithOrders(sql: Sql, name: SwitchName): Promise<readonly string[]> {
  const rows = await sql<{ account: string }[]>`
    select distinct account from postern_order where is_open ${concerned(sql, name)}
    order by account`
  return rows.map(({ account }) => account)
}

async function openOrders(
  sql: Sql,
  name: SwitchName,
  { account, after }: { readonly account: string; readonly after: string },
): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_order
    where is_open and account = ${account} and id > ${after}::uuid ${concerned(sql, name)}
    order by id limit ${ordersPerCommit}`
  return rows.map(({ id }) => id)
}

function cancelOne({ desk }: DeskWork, order: DeskOrder | undefined): Fate {
  // One that ended meanwhile is nobody's any more.
  if (order === undefined || !isOpenOrder(order.state)) return undefined
  const moved = desk.move(order, { type: 'cancel.request', reason: 'TRADING_HALTED' })
  if (moved.kind !== 'moved') return 'left'
  if (order.state.status === 'canceled') return 'canceled'
  desk.advance(order)
  return 'canceling'
}
