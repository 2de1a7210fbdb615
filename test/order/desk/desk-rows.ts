import type { Sql } from 'postgres'
import type { Caller } from '#core/access/principal.ts'
import { testCaller } from '#test/support/job-engine.ts'
import { testAccount } from '../venue/order-terms.ts'

/** Noon in New York, on a Friday. */
export const noonMs = Date.parse('2024-03-01T17:00:00Z')
export const account = testAccount
export const trader = callerNamed('trader')

export function callerNamed(subject: string): Caller {
  return { ...testCaller, principal: { ...testCaller.principal, subject } }
}

export async function clearDesk(sql: Sql): Promise<void> {
  await sql`truncate postern_account, postern_account_trader, postern_trading_state,
    postern_limit, postern_limit_change, postern_order, postern_order_event,
    postern_order_quarantine, postern_fill, postern_position, postern_position_day,
    postern_bar, postern_instrument, postern_job, postern_outbox, postern_idempotency,
    postern_audit_intake restart identity`
  await sql`update postern_market set time = null, breaker = null`
}

export async function addAccount(
  sql: Sql,
  options: {
    readonly id?: string
    readonly cash?: string
    readonly clock?: 'live' | 'replay'
    readonly isShortAllowed?: boolean
  } = {},
): Promise<void> {
  const { id = account, cash = '100000', clock = 'live', isShortAllowed = false } = options
  await sql`
    insert into postern_account (id, venue, clock, starting_cash, cash, is_short_allowed)
    values (${id}, 'paper', ${clock}, ${cash}, ${cash}, ${isShortAllowed})`
  const { issuer, subject } = trader.principal
  await sql`
    insert into postern_account_trader (account, issuer, subject)
    values (${id}, ${issuer}, ${subject})`
}

const calm = {
  ...{ intervalMs: 60_000, meanBarVolume: 10_000_000, rv5: 0.1, rv20: 0.1 },
  ...{ volatilityPercent: 10, toldToMs: null, quoteToMs: null },
  ...{ toldQuoteMs: null, markedQuoteMs: null },
}

/** A symbol that trades at 100 now, with volume for every order and little volatility. */
export async function addInstrument(
  sql: Sql,
  symbol: string,
  options: { readonly price?: string; readonly atMs?: number; readonly sector?: string } = {},
): Promise<void> {
  const { price = '100', atMs = noonMs, sector = null } = options
  await sql`
    insert into postern_instrument (symbol, sector, last_price, last_time, statistics)
    values (${symbol}, ${sector}, ${price}, ${new Date(atMs)}, ${JSON.stringify(calm)}::text::jsonb)
    on conflict (symbol) do update set last_price = excluded.last_price,
      last_time = excluded.last_time, statistics = excluded.statistics`
}

export async function setLimit(
  sql: Sql,
  name: string,
  value: string,
  scope: 'account' | 'symbol' | 'strategy' | 'firm' | 'sector' = 'account',
  key = account,
): Promise<void> {
  await sql`
    insert into postern_limit (scope, key, name, value, changed_by)
    values (${scope}, ${key}, ${name}, ${value}, 'test')
    on conflict (scope, key, name) do update set value = excluded.value`
}

export async function setSwitch(
  sql: Sql,
  state: 'ACTIVE' | 'REDUCING' | 'HALTED',
  about: { readonly scope?: string; readonly key?: string; readonly until?: Date } = {},
): Promise<void> {
  const { scope = 'global', key = '', until = null } = about
  await sql`
    insert into postern_trading_state (scope, key, state, reason, until, set_by)
    values (${scope}, ${key}, ${state}, 'because', ${until}, 'test')
    on conflict (scope, key) do update set state = excluded.state, until = excluded.until`
}

export async function count(sql: Sql, table: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::integer as n from ${sql(table)}`
  return row?.n ?? 0
}

/** What an order's row says, of what tests ask for. */
export async function orderRow(sql: Sql, id: string) {
  const [row] = await sql<Record<string, unknown>[]>`
    select status, trim_scale(quantity)::text as quantity, trim_scale(cum_quantity)::text as cum,
      trim_scale(reserved)::text as reserved, attempts, late_fill as late, venue_order_id as venue,
      reject_code as code, replaced_by as next
    from postern_order where id = ${id}`
  return row
}

export async function accountRow(sql: Sql, id = account) {
  const [row] = await sql<Record<string, unknown>[]>`
    select trim_scale(cash)::text as cash, trim_scale(reserved)::text as reserved,
      open_orders as open from postern_account where id = ${id}`
  return row
}

export async function fillsCursor(sql: Sql): Promise<string | null | undefined> {
  const [row] = await sql<{ cursor: string | null }[]>`
    select fills_cursor as cursor from postern_account where id = ${account}`
  return row?.cursor
}

export async function positionRow(sql: Sql, symbol = 'AAPL') {
  const [row] = await sql<Record<string, unknown>[]>`
    select trim_scale(quantity)::text as quantity, trim_scale(open_buy)::text as buy,
      trim_scale(open_sell)::text as sell
    from postern_position where account = ${account} and symbol = ${symbol}`
  return row
}

export async function eventTypes(sql: Sql, id: string): Promise<readonly string[]> {
  const rows = await sql<{ type: string }[]>`
    select type from postern_order_event where order_id = ${id} order by seq`
  return rows.map(({ type }) => type)
}

export async function quarantine(sql: Sql) {
  const rows = await sql<{ code: string; isResolved: boolean }[]>`
    select code, resolved_at is not null as "isResolved" from postern_order_quarantine order by id`
  return rows.map(({ code, isResolved }) => (isResolved ? `${code} resolved` : code))
}

export async function recordsOf(sql: Sql, target: string) {
  const rows = await sql<{ body: Record<string, unknown> }[]>`
    select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb ->> 'target' = ${target} order by id`
  return rows.map(({ body }) => body)
}
