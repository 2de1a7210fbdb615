import type { Sql } from 'postgres'
import type { Caller } from '#core/access/principal.ts'
import type { Delivery } from '#core/job/job-queue.ts'
import { parseAmount } from '#core/order/amount.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { marketReader } from '#core/order/desk/market-snapshot.ts'
import { type OrderIntake, orderIntake } from '#core/order/desk/order-intake.ts'
import { orderRequests } from '#core/order/desk/order-requests.ts'
import { reportIntake } from '#core/order/desk/report-intake.ts'
import { advanceOrdersPayload } from '#core/order/kinds.ts'
import type { OrderTerms } from '#core/order/order.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import type { Venue, VenueReport } from '#core/order/venue.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testCaller, testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { advanceOrders } from '#workers/advance-orders.ts'

/** Noon in New York, on a Friday. */
export const noonMs = Date.parse('2024-03-01T17:00:00Z')
export const account = 'desk-1'
export const trader = callerNamed('trader')

export function callerNamed(subject: string): Caller {
  return { ...testCaller, principal: { ...testCaller.principal, subject } }
}

/** Buy 10 AAPL at 100 for the day; what a test is about, it says itself. */
export function orderTerms(change: Partial<OrderTerms> = {}): OrderTerms {
  const id = Bun.randomUUIDv7()
  return {
    ...{ id, account, clientOrderId: id, symbol: 'AAPL', side: 'buy' },
    ...{ type: 'limit', timeInForce: 'day' },
    quantity: parseAmount('10'),
    limitPrice: change.type === 'market' ? undefined : parseAmount('100'),
    ...{ stopPrice: undefined, expireAt: undefined, strategy: undefined, reduceOnly: false },
    ...change,
  }
}

export type PlaceOptions = { readonly key?: string; readonly body?: string; readonly by?: Caller }

/** A database with the logins of the processes, and whatever of the desk a test asks for. */
export async function openDeskWorld() {
  const url = await (await sharedPostgres()).createDatabase()
  const pool = { url, mode: 'development', applicationName: 'test', max: 6 } as const
  const sql = connectPostgres(pool)
  await migrate({ sql, queue: 'redis' })
  const gateway = connectPostgres({ ...pool, role: 'postern_gateway' })
  const worker = connectPostgres({ ...pool, role: 'postern_worker' })
  const pools: Sql[] = [sql, gateway, worker]
  const clock = { nowMs: noonMs }
  const now = () => new Date(clock.nowMs)
  const sent: Delivery[] = []
  const dispatch: DeskConnection['dispatch'] = {
    send: (_outboxId, deliveries) => void sent.push(...deliveries),
    takeDispatched: () => [],
    giveBack: () => undefined,
    close: () => Promise.resolve(),
  }
  const journal = testJournal()
  const readMarket = marketReader(now)
  const deskOn = (on: Sql) => ({ sql: on, journal, dispatch, now, readMarket })
  const [desk, workerDesk] = [deskOn(gateway), deskOn(worker)]
  const intake = orderIntake(desk)
  const reports = reportIntake(workerDesk)

  function poolAt(at: string, role: 'postern_gateway' | 'postern_worker'): Sql {
    const opened = connectPostgres({ ...pool, url: at, role })
    pools.push(opened)
    return opened
  }

  return {
    ...{ url, sql, clock, now, sent, desk, workerDesk, deskOn, poolAt, intake, reports },
    requests: orderRequests(desk),
    /** Another gateway: its own memory, its own connections. */
    otherIntake: () => orderIntake(deskOn(poolAt(url, 'postern_gateway'))),
    place: (change: Partial<OrderTerms> = {}, options: PlaceOptions = {}) =>
      placeIn(intake, change, options),
    placeIn,
    /** Applied one after another, each with a commit of its own. */
    async report(...told: readonly VenueReport[]) {
      for (const one of told) await reports.apply(one)
    },
    advance: (venue: Venue, ids: readonly string[]) => advance({ workerDesk, reports, venue }, ids),
    /** Takes every job that was dispatched, those that fail again with the next call. */
    async runJobs(venue: Venue) {
      for (const { payload } of sent.splice(0)) {
        const { orders } = advanceOrdersPayload.parse(payload)
        await advance({ workerDesk, reports, venue }, orders)
      }
    },
    async clear() {
      sent.length = 0
      clock.nowMs = noonMs
      await clear(sql)
      await addInstrument(sql, 'AAPL')
      await addAccount(sql)
    },
    close: () => Promise.all(pools.map((each) => each.end({ timeout: 1 }))),
  }
}
export type DeskWorld = Awaited<ReturnType<typeof openDeskWorld>>

async function placeIn(
  intake: OrderIntake,
  change: Partial<OrderTerms>,
  { key, body = 'body', by = trader }: PlaceOptions = {},
): Promise<OrderDocument & { readonly replayed: boolean }> {
  const fingerprint = new Bun.CryptoHasher('sha256').update(body).digest('hex')
  const idempotency =
    key === undefined ? undefined : { method: 'POST', route: '/v1/orders', key, fingerprint }
  const { order, replayed } = await intake.enter({
    terms: orderTerms(change),
    idempotency,
    caller: by,
  })
  return { ...order, replayed }
}

type Advancing = {
  readonly workerDesk: DeskConnection
  readonly reports: ReturnType<typeof reportIntake>
  readonly venue: Venue
}

/** One run of the job that takes orders to their venue. */
async function advance({ workerDesk, reports, venue }: Advancing, ids: readonly string[]) {
  const venues = new Map([['paper', venue]])
  const { process } = advanceOrders({ desk: workerDesk, reports, venues })
  const attempt = { jobId: Bun.randomUUIDv7(), attempt: 1, attemptsMax: 60, requestId: 'r' }
  const payload = { account, orders: [...ids] }
  const work = await process(
    { ...attempt, payload, traceparent: undefined },
    new AbortController().signal,
  )
  return work.result
}

async function clear(sql: Sql): Promise<void> {
  await sql`truncate postern_account, postern_account_trader, postern_trading_state,
    postern_limit, postern_limit_change, postern_order, postern_order_event,
    postern_order_quarantine, postern_fill, postern_position, postern_position_day,
    postern_bar, postern_instrument, postern_job, postern_outbox, postern_idempotency,
    postern_audit_intake restart identity`
  await sql`update postern_market set time = null, breaker = null, index_symbol = null`
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
  ...{ volatilityPercent: 10, toldToMs: null, quoteToMs: null, toldQuoteMs: null },
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
