import type { Sql } from 'postgres'
import { rowsByKey } from '../../postgres/group-reads.ts'
import { amountOf, formatAmount, type Price } from '../amount.ts'
import type { VenueFill, VenuePosition, VenueReport } from '../venue.ts'
import { keyOf, type OrderKey } from './order-key.ts'
import type { PriceReach } from './paper-market.ts'
import type { PaperOrder, PaperStep } from './paper-order.ts'
import { paperOrderOf, type ReportRow, reportOf, reportRowOf, rowOf } from './paper-row.ts'

/**
 * 'pape' in ASCII. Whoever writes the book holds this lock until its commit: reports get their ids
 * in the order of commits, and no two writers can wait for each other's rows.
 */
const bookLockKey = 0x7061_7065
/** Rows of a page; a page of reports is below 1 MiB. */
const pageMax = 500

/** A report as it was committed; ids ascend. */
export type BookedReport = { readonly id: bigint; readonly report: VenueReport }

/** What a write stored: orders by `keyOf`, and what the venue tells of them. */
export type Booked = {
  readonly orders: ReadonlySet<string>
  readonly reports: readonly BookedReport[]
}

/** New orders, each with the events of its first moment. One that is in the book stays as it is. */
export async function placeOrders(sql: Sql, steps: readonly PaperStep[]): Promise<Booked> {
  const orders = steps.map(({ order }) => rowOf(order))
  return await bookedBy(sql<StoredRow[]>`
    with held as materialized (select pg_advisory_xact_lock(${bookLockKey}::bigint)),
    placed as (${insertOrders(sql, orders, sql`true`)}),
    told as (${insertReports(sql, reportRows(steps), sql`placed`)})
    ${selectBooked(sql, sql`placed`)}`)
}

/**
 * Orders after a step, each stored only where nothing has changed since it was read, and with it
 * the successor that takes its place.
 */
export async function changeOrders(
  sql: Sql,
  steps: readonly PaperStep[],
  successor?: PaperStep,
): Promise<Booked> {
  const changes = steps.map(({ order }) => rowOf(order))
  const [replaced] = steps
  const successors =
    successor === undefined ? [] : [rowOf(successor.order, replaced?.order.clientOrderId)]
  const told = reportRows(successor === undefined ? steps : [...steps, successor])
  return await bookedBy(sql<StoredRow[]>`
    with held as materialized (select pg_advisory_xact_lock(${bookLockKey}::bigint)),
    change as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(changes)}::text::jsonb) as c(
        account text, client_order_id text, is_triggered boolean, active_at_ms bigint,
        cum numeric, trades integer, status text, version integer, replaced_by text)
    ), changed as (
      update postern_paper_order o set is_triggered = c.is_triggered,
        active_at_ms = c.active_at_ms, cum = c.cum, trades = c.trades, status = c.status,
        version = c.version, replaced_by = c.replaced_by
      from change c cross join held
      where o.account = c.account and o.client_order_id = c.client_order_id
        and o.version = c.version - 1
      returning o.account, o.client_order_id
    ), placed as (${insertOrders(
      sql,
      successors,
      sql`exists (select from changed c
        where c.account = p.account and c.client_order_id = p.replaces)`,
    )}
    ), stored as (select * from changed union all select * from placed),
    told as (${insertReports(sql, told, sql`stored`)})
    ${selectBooked(sql, sql`stored`)}`)
}

type StoredRow = {
  readonly account: string
  readonly clientOrderId: string
  readonly id: string | null
  readonly body: string | null
}

/** The lock comes first: a row is inserted only when its join with `held` has a result. */
function insertOrders(sql: Sql, rows: readonly object[], where: ReturnType<Sql>) {
  return sql`
    insert into postern_paper_order (account, client_order_id, venue_order_id, symbol, side, type,
      tif, quantity, limit_price, stop_price, is_triggered, active_at_ms, expire_at_ms, carried,
      cum, trades, status, version)
    select p.account, p.client_order_id, p.venue_order_id, p.symbol, p.side, p.type, p.tif,
      p.quantity, p.limit_price, p.stop_price, p.is_triggered, p.active_at_ms, p.expire_at_ms,
      p.carried, p.cum, p.trades, p.status, p.version
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as p(
      account text, client_order_id text, venue_order_id uuid, symbol text, side text, type text,
      tif text, quantity numeric, limit_price numeric, stop_price numeric, is_triggered boolean,
      active_at_ms bigint, expire_at_ms bigint, carried numeric, cum numeric, trades integer,
      status text, version integer, replaces text) cross join held
    where ${where}
    on conflict (account, client_order_id) do nothing
    returning account, client_order_id`
}

/** Behind `is true` the stored ones are hashed, where a join would hold each report against each of them. */
function insertReports(sql: Sql, rows: readonly object[], stored: ReturnType<Sql>) {
  return sql`
    insert into postern_paper_report (account, client_order_id, body)
    select r.account, r.client_order_id, r.body
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
      n integer, account text, client_order_id text, body jsonb)
    where ((r.account, r.client_order_id) in (select account, client_order_id from ${stored})) is true
    order by r.n
    returning id, account, client_order_id, body`
}

/** A line for each order, and behind them one for each report. */
function selectBooked(sql: Sql, stored: ReturnType<Sql>) {
  return sql`
    select b.account, b.client_order_id as "clientOrderId", b.id::text, b.body::text from (
      select account, client_order_id, null::bigint as id, null::jsonb as body from ${stored}
      union all select account, client_order_id, id, body from told) as b
    order by b.id nulls first`
}

async function bookedBy(statement: PromiseLike<readonly StoredRow[]>): Promise<Booked> {
  const rows = await statement
  return {
    orders: new Set(rows.map(keyOf)),
    reports: rows.flatMap(({ account, clientOrderId, id, body }) =>
      id === null || body === null ? [] : [bookedReportOf({ account, clientOrderId, id, body })],
    ),
  }
}

function bookedReportOf(row: ReportRow): BookedReport {
  return { id: BigInt(row.id), report: reportOf(row) }
}

function reportRows(steps: readonly PaperStep[]): readonly object[] {
  return steps
    .flatMap(({ order: { account, clientOrderId }, events }) =>
      events.map((event) => ({ account, clientOrderId, event })),
    )
    .map(reportRowOf)
}

export async function findOrders(
  sql: Sql,
  keys: readonly OrderKey[],
): Promise<ReadonlyMap<string, PaperOrder>> {
  if (keys.length === 0) return new Map()
  // A look-up each: of two arrays every account would be looked up with every id.
  const rows = await sql`
    select o.* from unnest(${keys.map((key) => key.account)}::text[],
      ${keys.map((key) => key.clientOrderId)}::text[]) as w(account, client_order_id)
    cross join lateral (
      select * from postern_paper_order
      where account = w.account and client_order_id = w.client_order_id limit 1) as o`
  return new Map(rows.map(paperOrderOf).map((order) => [keyOf(order), order]))
}

/**
 * Of each account, oldest first: price-time priority, as far as orders of one price go. Without the
 * `offset` the planner joins the accounts to the open orders of all.
 */
export async function openOrders(
  sql: Sql,
  accounts: readonly string[],
): Promise<readonly (readonly PaperOrder[])[]> {
  const rows = await sql`
    select w.n::integer as n, o.* from unnest(${[...accounts]}::text[]) with ordinality as w(account, n)
    cross join lateral (
      select * from postern_paper_order
      where account = w.account and status in ('new', 'partially_filled') offset 0) as o
    order by w.n, o.venue_order_id`
  const orders = rows.map((row) => ({ n: Number(row['n']), order: paperOrderOf(row) }))
  return rowsByKey(accounts, orders).map((own) => own.map(({ order }) => order))
}

type Reached = { readonly symbol: string; readonly reach: PriceReach }

/** The same of a symbol, of all accounts, without those that rest beyond what a market reaches. */
export async function reachedOrders(
  sql: Sql,
  { symbol, reach }: Reached,
): Promise<readonly PaperOrder[]> {
  const text = (price: Price | undefined) => (price === undefined ? null : formatAmount(price))
  const open = sql`
    select * from postern_paper_order
    where symbol = ${symbol} and status in ('new', 'partially_filled')`
  // Word for word as the two partial indexes of open orders say it, or they are of no use.
  const isResting = sql`type = 'limit' and tif in ('day', 'gtc', 'gtd')`
  const rows = await sql`
    ${open} and not (${isResting})
    union all ${open} and ${isResting} and side = 'buy' and limit_price >= ${text(reach.buy)}::text::numeric
    union all ${open} and ${isResting} and side = 'sell' and limit_price <= ${text(reach.sell)}::text::numeric
    order by venue_order_id`
  return rows.map(paperOrderOf)
}

export async function dueOrders(
  sql: Sql,
  { accounts, clockMs }: { readonly accounts: readonly string[]; readonly clockMs: number },
): Promise<readonly PaperOrder[]> {
  const rows = await sql`
    select * from postern_paper_order
    where account = any(${[...accounts]}::text[]) and status in ('new', 'partially_filled')
      and expire_at_ms <= ${clockMs}
    order by venue_order_id limit ${pageMax}`
  return rows.map(paperOrderOf)
}

type FillRow = ReportRow & { readonly symbol: string; readonly side: 'buy' | 'sell' }

export async function* fillsAfter(
  sql: Sql,
  { account, since }: { readonly account: string; readonly since: string | undefined },
): AsyncGenerator<VenueFill> {
  let cursor = since ?? '0'
  for (;;) {
    const rows = await sql<FillRow[]>`
      select r.id::text, r.account, r.client_order_id as "clientOrderId", r.body::text,
        o.symbol, o.side
      from postern_paper_report r cross join lateral (
        select symbol, side from postern_paper_order
        where account = r.account and client_order_id = r.client_order_id limit 1) as o
      where r.account = ${account} and r.id > ${cursor}::bigint and r.body ->> 'type' = 'trade'
      order by r.id limit ${pageMax}`
    for (const row of rows) {
      cursor = row.id
      const { event } = reportOf(row)
      const { clientOrderId, symbol, side } = row
      if (event.type !== 'trade') continue
      yield { account, clientOrderId, symbol, side, trade: event.trade, cursor }
    }
    if (rows.length < pageMax) return
  }
}

/** By the venue's own fills, and not by what the desk made of them. */
export async function heldPositions(
  sql: Sql,
  accounts: readonly string[],
): Promise<readonly (readonly VenuePosition[])[]> {
  const rows = await sql<{ n: number; symbol: string; quantity: string }[]>`
    select w.n::integer, p.symbol, p.quantity::text
    from unnest(${[...accounts]}::text[]) with ordinality as w(account, n)
    join postern_paper_position p on p.account = w.account and p.quantity <> 0
    order by w.n, p.symbol`
  return rowsByKey(accounts, rows).map((held) =>
    held.map(({ symbol, quantity }) => ({ symbol, quantity: amountOf(quantity) })),
  )
}

export async function lastReportId(sql: Sql): Promise<bigint> {
  const [row] = await sql<{ id: string }[]>`
    select coalesce(max(id), 0)::text as id from postern_paper_report`
  return BigInt(row?.id ?? 0)
}

/** At most a page, from behind the id. */
export async function reportsAfter(sql: Sql, id: bigint): Promise<readonly BookedReport[]> {
  // Qualified: the bare name would be the text that is selected, and 10 come before 9.
  const rows = await sql<ReportRow[]>`
    select r.id::text, r.account, r.client_order_id as "clientOrderId", r.body::text
    from postern_paper_report r where r.id > ${id.toString()}::bigint
    order by r.id limit ${pageMax}`
  return rows.map(bookedReportOf)
}
