import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import { amountOf } from '../amount.ts'
import { orderStatuses } from '../order.ts'

/** Orders whose call to the venue may be under way this moment. */
const settledSeconds = 2
/** Accounts of one statement. */
const accountsMax = 64
const waitingMax = 10_000

export type ReconciledAccount = {
  readonly venue: string
  /** Up to where the account's fills at its venue are known to be here. */
  readonly cursor: string | null
}

const openSchema = z.array(
  z.object({
    n: z.number(),
    id: z.string(),
    clientOrderId: z.string(),
    symbol: z.string(),
    status: z.enum(orderStatuses),
    cum: z.string().transform(amountOf),
  }),
)
export type OpenOrder = Omit<z.infer<typeof openSchema>[number], 'n'>

export type ReconciledCounts = { readonly orders: number; readonly positions: number }
export type HeldQuantity = { readonly symbol: string; readonly quantity: string }

/** What is asked of an account that is reconciled; accounts that are reconciled at once share statements. */
export type ReconcileReads = {
  /** Undefined where there is none. */
  account(id: string): Promise<ReconciledAccount | undefined>
  /** Of the result's `checked`. */
  counts(id: string): Promise<ReconciledCounts>
  /** Whose calls are no longer under way. */
  openOrders(id: string): Promise<readonly OpenOrder[]>
  positions(id: string): Promise<readonly HeldQuantity[]>
  /** Of an account that agrees: that it was looked at, and up to which of its fills. */
  noteAgreed(agreed: Agreed): Promise<void>
}

export type Agreed = {
  readonly account: string
  readonly at: Date
  readonly cursor: string | undefined
}

export function reconcileReads(sql: Sql): ReconcileReads {
  const grouped = <Value>(read: (ids: readonly string[]) => Promise<readonly Value[]>) =>
    groupReads<string, Value>({ read, textOf: (id) => id, keysMax: accountsMax })
  const notes = groupCommit<Agreed, void>({
    run: (agreed) =>
      runOrSplit(
        agreed,
        async (some) => {
          const noted = await storeAgreed(sql, some, 'free')
          // Each waits for its own lock, and holds no other meanwhile.
          const left = some.filter(({ account }) => !noted.has(account))
          await Promise.all(left.map((one) => storeAgreed(sql, [one], 'any')))
          return some.map(() => undefined)
        },
        (error) => databaseOutage(error) !== undefined,
      ),
    ...{ batchMax: accountsMax, inFlightMax: 1, waitingMax },
    refuse: () => new PosternError('database.unavailable', { reason: 'too many notes waiting' }),
    keyOf: ({ account }) => account,
  })
  return {
    account: grouped((ids) => readAccounts(sql, ids)),
    counts: grouped((ids) => readCounts(sql, ids)),
    openOrders: grouped((ids) => readOpenOrders(sql, ids)),
    positions: grouped((ids) => readPositions(sql, ids)),
    noteAgreed: notes.submit,
  }
}

function wanted(sql: Sql, ids: readonly string[]) {
  return sql`unnest(${[...ids]}::text[]) with ordinality as w(account, n)`
}

async function readAccounts(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly (ReconciledAccount | undefined)[]> {
  const rows = await sql<(ReconciledAccount & { readonly n: number })[]>`
    select w.n::integer, a.venue, a.fills_cursor as cursor
    from ${wanted(sql, ids)} join postern_account a on a.id = w.account`
  return rowsByKey(ids, rows).map(([account]) => account)
}

async function readCounts(sql: Sql, ids: readonly string[]): Promise<readonly ReconciledCounts[]> {
  const rows = await sql<(ReconciledCounts & { readonly n: number })[]>`
    select w.n::integer,
      (select count(*)::integer from postern_order o where o.is_open and o.account = w.account)
        as orders,
      (select count(*)::integer from postern_position p where p.account = w.account) as positions
    from ${wanted(sql, ids)}`
  return rowsByKey(ids, rows).map(([counts]) => ({
    orders: counts?.orders ?? 0,
    positions: counts?.positions ?? 0,
  }))
}

/** Without the `offset` the planner joins the accounts to the open orders of all. */
async function readOpenOrders(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly (readonly OpenOrder[])[]> {
  const rows = await sql`
    select w.n::integer, o.* from ${wanted(sql, ids)}
    cross join lateral (
      select id, client_order_id as "clientOrderId", symbol, status, cum_quantity::text as cum
      from postern_order
      where account = w.account and is_open and status not in ('accepted', 'held')
        and updated_at < now() - make_interval(secs => ${settledSeconds}) offset 0) as o`
  return rowsByKey(ids, openSchema.parse(rows))
}

async function readPositions(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly (readonly HeldQuantity[])[]> {
  const rows = await sql<(HeldQuantity & { readonly n: number })[]>`
    select w.n::integer, p.symbol, p.quantity::text from ${wanted(sql, ids)}
    join postern_position p on p.account = w.account`
  return rowsByKey(ids, rows)
}

/** Of `any` account, or of those that nobody has locked; returns them. */
async function storeAgreed(
  sql: Sql,
  agreed: readonly Agreed[],
  which: 'any' | 'free',
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string }[]>`
    with noted as (
      select a.id, w.at, w.cursor
      from unnest(${agreed.map(({ account }) => account)}::text[],
        ${agreed.map(({ at }) => at.toISOString())}::text[]::timestamptz[],
        ${agreed.map(({ cursor }) => cursor ?? '')}::text[]) as w(id, at, cursor)
      join postern_account a on a.id = w.id
      for update of a ${which === 'free' ? sql`skip locked` : sql``}
    )
    update postern_account a set reconciled_at = n.at,
      fills_cursor = coalesce(nullif(n.cursor, ''), a.fills_cursor)
    from noted n where a.id = n.id returning a.id`
  return new Set(rows.map(({ id }) => id))
}
