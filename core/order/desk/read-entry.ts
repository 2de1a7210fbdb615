import type { TransactionSql } from 'postgres'
import { amountOf, type Money, moneyOf } from '../amount.ts'
import { exposureLimitName, type LimitRow, rememberLimits } from '../limits.ts'
import type { OrderTerms, Side } from '../order.ts'
import { positionKey } from './desk-view.ts'
import {
  type EntryView,
  noResting,
  type OrderRequest,
  type Resting,
  traderKey,
  twinOf,
} from './entry-view.ts'
import { firmExposure, readFirmExposure } from './firm-exposure.ts'
import type { ReadMarket } from './market-snapshot.ts'
import { orderOfClient } from './read-rows.ts'
import { readSwitches } from './switches.ts'

/** No account may set a longer window of duplicates. */
export const duplicateWindowMsMax = 60_000
const windowMs = 60_000

/** Reads what a batch of orders is judged by; the accounts are locked, so it stays so. */
export async function readEntryView(
  sql: TransactionSql,
  requests: readonly OrderRequest[],
  { at, readMarket }: { readonly at: Date; readonly readMarket: ReadMarket },
): Promise<EntryView> {
  const terms = requests.map((request) => request.terms)
  const accounts = [...new Set(terms.map(({ account }) => account))]
  const symbols = [...new Set(terms.map(({ symbol }) => symbol))]
  const [market, switches, limits, traders, takenIds, twins, resting, shortValues] =
    await Promise.all([
      readMarket(sql, symbols),
      readSwitches(sql, at),
      readLimits(sql, terms),
      readTraders(sql, requests),
      readTakenIds(sql, terms),
      readTwins(sql, terms, at),
      readResting(sql, terms),
      readShortValues(sql, accounts),
    ])
  const executions = limits.some(({ name }) => name === 'repeated_executions_max')
    ? await readExecutions(sql, accounts, at)
    : () => 0
  const firm = limits.some(({ name }) => name === exposureLimitName)
    ? await readFirmExposure(sql)
    : firmExposure([])
  return {
    ...{ market, switches, traders, takenIds, twins, resting, shortValues },
    limitsFor: rememberLimits(limits),
    ...{ executions, firm },
  }
}

async function readLimits(
  sql: TransactionSql,
  terms: readonly OrderTerms[],
): Promise<readonly LimitRow[]> {
  return await sql<LimitRow[]>`
    select scope, key, name, value::text from postern_limit
    where scope in ('firm', 'sector')
      or (scope = 'account' and key = any(${terms.map(({ account }) => account)}::text[]))
      or (scope = 'symbol' and key = any(${terms.map(({ symbol }) => symbol)}::text[]))
      or (scope = 'strategy'
        and key = any(${terms.flatMap(({ strategy }) => strategy ?? [])}::text[]))`
}

async function readTraders(
  sql: TransactionSql,
  requests: readonly OrderRequest[],
): Promise<ReadonlySet<string>> {
  const callers = new Map(
    requests.map(({ terms, caller }) => [traderKey(terms.account, caller), { terms, caller }]),
  )
  const all = [...callers.values()]
  const rows = await sql<{ key: string }[]>`
    select t.account || ' ' || t.issuer || ' ' || t.subject as key
    from postern_account_trader t
    join unnest(${all.map(({ terms }) => terms.account)}::text[],
      ${all.map(({ caller }) => caller.principal.issuer)}::text[],
      ${all.map(({ caller }) => caller.principal.subject)}::text[]) as w(account, issuer, subject)
      on t.account = w.account and t.issuer = w.issuer and t.subject = w.subject`
  return new Set(rows.map(({ key }) => key))
}

async function readTakenIds(
  sql: TransactionSql,
  terms: readonly OrderTerms[],
): Promise<Set<string>> {
  const rows = await sql<{ key: string }[]>`
    select w.account || ' ' || w.client_id as key
    from unnest(${terms.map(({ account }) => account)}::text[],
      ${terms.map(({ clientOrderId }) => clientOrderId)}::text[]) as w(account, client_id)
    cross join lateral (select from ${orderOfClient(sql)}) as o`
  return new Set(rows.map(({ key }) => key))
}

async function readTwins(
  sql: TransactionSql,
  terms: readonly OrderTerms[],
  at: Date,
): Promise<Map<bigint, number>> {
  const since = new Date(at.getTime() - duplicateWindowMsMax)
  const twins = [...new Set(terms.map(twinOf))]
  const rows = await sql<{ twin: string; at: Date }[]>`
    select w.twin, o.received_at as at
    from unnest(${twins.map((twin) => twin.toString())}::text[]) as w(twin)
    cross join lateral (
      select received_at from postern_order
      where twin = w.twin::bigint and received_at > ${since}
      order by received_at desc limit 1) as o`
  return new Map(rows.map((row) => [BigInt(row.twin), row.at.getTime()]))
}

type RestingRow = {
  readonly account: string
  readonly symbol: string
  readonly side: Side
  readonly price: string | null
  readonly hasMarket: boolean
}

/**
 * The best own orders that the asked ones could meet: of the other side, where the position says
 * that any are open. Whatever is open counts, also what has a cancel under way: it may fill before
 * that. Each question is one look at the end of an index, however many orders are open.
 */
async function readResting(
  sql: TransactionSql,
  terms: readonly OrderTerms[],
): Promise<EntryView['resting']> {
  const met = new Map(
    terms.map(({ account, symbol, side }) => [
      `${account} ${symbol} ${side}`,
      { account, symbol, side: side === 'buy' ? 'sell' : 'buy' },
    ]),
  )
  const wanted = [...met.values()]
  const rows = await sql<RestingRow[]>`
    select w.account, w.symbol, w.side,
      case w.side when 'buy' then highest.price else lowest.price end::text as price,
      exists (select from postern_order where is_open and account = w.account
        and symbol = w.symbol and side = w.side and limit_price is null) as "hasMarket"
    from unnest(${wanted.map(({ account }) => account)}::text[],
      ${wanted.map(({ symbol }) => symbol)}::text[],
      ${wanted.map(({ side }) => side)}::text[]) as w(account, symbol, side)
    join postern_position p on p.account = w.account and p.symbol = w.symbol
      and case w.side when 'buy' then p.open_buy else p.open_sell end > 0
    left join lateral (
      select limit_price as price from postern_order
      where is_open and account = w.account and symbol = w.symbol and side = 'buy'
        and w.side = 'buy' and limit_price is not null
      order by limit_price desc limit 1) as highest on true
    left join lateral (
      select limit_price as price from postern_order
      where is_open and account = w.account and symbol = w.symbol and side = 'sell'
        and w.side = 'sell' and limit_price is not null
      order by limit_price limit 1) as lowest on true`
  const resting = new Map<string, Resting>()
  for (const { account, symbol, side, price, hasMarket } of rows) {
    const key = positionKey(account, symbol)
    const best = hasMarket ? 'market' : price === null ? undefined : amountOf(price)
    const known = resting.get(key) ?? noResting
    resting.set(key, {
      ...known,
      ...(side === 'buy' ? { bestOwnBuy: best } : { bestOwnSell: best }),
    })
  }
  return resting
}

/** Short positions at the last price; one that has no price counts at its cost. */
export async function readShortValues(
  sql: TransactionSql,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, Money>> {
  const rows = await sql<{ account: string; value: string }[]>`
    select p.account, sum(coalesce(-p.quantity * i.last_price, -p.cost))::numeric(38, 18)::text
      as value
    from postern_position p left join postern_instrument i using (symbol)
    where p.account = any(${[...accounts]}::text[]) and p.quantity < 0
    group by p.account`
  return new Map(rows.map(({ account, value }) => [account, moneyOf(value)]))
}

async function readExecutions(
  sql: TransactionSql,
  accounts: readonly string[],
  at: Date,
): Promise<EntryView['executions']> {
  const since = new Date(at.getTime() - windowMs)
  const rows = await sql<{ account: string; strategy: string; side: string; count: number }[]>`
    select account, strategy, side, count(*)::integer as count from postern_order
    where account = any(${[...accounts]}::text[]) and strategy is not null
      and received_at > ${since} and cum_quantity > 0
    group by account, strategy, side`
  const counts = new Map(
    rows.map((row) => [`${row.account} ${row.strategy} ${row.side}`, row.count]),
  )
  return (account, strategy, side) => counts.get(`${account} ${strategy ?? ''} ${side}`) ?? 0
}
