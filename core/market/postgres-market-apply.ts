import type { Sql } from 'postgres'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type SymbolLease, takeLease } from './apply-lease.ts'
import { type AppliedRow, type ApplyOptions, applyChunk, readAppliedRow } from './apply-symbol.ts'
import type { Quote } from './bar.ts'
import type { ApplyMarketDataResult } from './market-kinds.ts'
import { type MarketClock, marketClocks, readMarkets } from './postgres-market-store.ts'
import { type BarChunk, readBarsAfter, type SizedBar } from './read-bars.ts'

/** Bars that the desk is told of in one call. */
const toldBars = 1_000

/** What a market's accounts have not been told of yet, in order of time. */
export type MarketEvents = {
  readonly clock: MarketClock
  readonly symbol: string
  readonly bars: readonly SizedBar[]
  /** The newest, when it is new. */
  readonly quote: Quote | undefined
}

/** What depends on the market: resting and held orders, expiries, drawdowns. */
export type MarketDesk = {
  /**
   * Called after statistics, breakers and bands of these events are committed, at least once for
   * each of them: the same may come again after a crash. A throw is tried again with the job.
   */
  onMarket(events: MarketEvents, signal: AbortSignal): Promise<void>
  /**
   * Called at the end of each job, when it has been told of all that was applied, for the symbols of
   * which a quote came last; and again after a crash. Orders that wait are looked at again, and positions
   * at the replayed clock are marked; those at the live one are all the time. `timeMs` is of the newest
   * quote.
   */
  onQuotes(
    of: { readonly symbols: readonly string[]; readonly timeMs: number },
    signal: AbortSignal,
  ): Promise<void>
}

export type MarketApplyOptions = ApplyOptions & { readonly desk: MarketDesk }

/** Applies what was ingested of some symbols, the indices of the breakers before all others. */
export function postgresMarketApply(options: MarketApplyOptions) {
  const { sql } = options

  return async (
    symbols: readonly string[],
    signal: AbortSignal,
  ): Promise<ApplyMarketDataResult> => {
    // Whoever came before has applied all that was there then: behind, most jobs find nothing left.
    const due = await readDue(sql, symbols).catch(rethrowAsOutage)
    const markets = await readMarkets(sql).catch(rethrowAsOutage)
    const first = new Set(
      marketClocks.flatMap((clock) => {
        const { indexSymbol, volatilitySymbol } = markets[clock]
        return [indexSymbol, volatilitySymbol]
      }),
    )
    const ordered = [
      ...due.filter((symbol) => first.has(symbol)),
      ...due.filter((symbol) => !first.has(symbol)),
    ]
    const total = { bars: 0, quotes: 0, signals: 0 }
    for (const symbol of ordered) {
      const applied = await applySymbol(options, symbol, signal).catch(rethrowAsOutage)
      total.bars += applied.bars
      total.quotes += applied.quotes
      total.signals += applied.signals
    }
    const quoted = await readQuoted(sql, symbols).catch(rethrowAsOutage)
    if (quoted.length > 0) {
      const timeMs = Math.max(...quoted.map((quote) => quote.timeMs))
      await options.desk.onQuotes({ symbols: quoted.map(({ symbol }) => symbol), timeMs }, signal)
      await noteMarked(sql, quoted).catch(rethrowAsOutage)
    }
    return total
  }
}

/** Symbols of which something is not applied, or not told to the desk. */
async function readDue(sql: Sql, symbols: readonly string[]): Promise<readonly string[]> {
  const rows = await sql<{ symbol: string }[]>`
    select i.symbol from postern_instrument i
    cross join jsonb_to_record(i.statistics) as s("quoteToMs" float8, "toldToMs" float8,
      "toldQuoteMs" float8)
    where i.symbol = any(${[...symbols]}) and (i.bars_changed
      or (i.quote ->> 'time')::float8 > coalesce(s."quoteToMs", 0)
      or s."quoteToMs" > coalesce(s."toldQuoteMs", 0)
      or (extract(epoch from i.applied_to) * 1000)::float8 is distinct from s."toldToMs")
    order by i.symbol`
  return rows.map(({ symbol }) => symbol)
}

type Quoted = { readonly symbol: string; readonly timeMs: number }

/** Those whose newest event that the desk was told of is a quote by which nothing is marked yet. */
async function readQuoted(sql: Sql, symbols: readonly string[]): Promise<readonly Quoted[]> {
  return await sql<Quoted[]>`
    select i.symbol, s."toldQuoteMs" as "timeMs" from postern_instrument i
    cross join jsonb_to_record(i.statistics) as s("toldToMs" float8, "toldQuoteMs" float8,
      "markedQuoteMs" float8)
    where i.symbol = any(${[...symbols]})
      and s."toldQuoteMs" > greatest(s."toldToMs", s."markedQuoteMs", 0)
    order by i.symbol`
}

/** In the order in which an upload locks them. */
async function noteMarked(sql: Sql, quoted: readonly Quoted[]): Promise<void> {
  await sql`
    with locked as (
      select i.symbol, q."timeMs" from postern_instrument i
      join jsonb_to_recordset(${JSON.stringify(quoted)}::text::jsonb) as q(symbol text,
        "timeMs" float8) using (symbol)
      order by i.symbol for update of i
    )
    update postern_instrument i
    set statistics = i.statistics || jsonb_build_object('markedQuoteMs', l."timeMs")
    from locked l where i.symbol = l.symbol`
}

async function applySymbol(
  options: MarketApplyOptions,
  symbol: string,
  signal: AbortSignal,
): Promise<ApplyMarketDataResult> {
  const lease = await takeLease(options.sql, symbol, signal)
  try {
    return await applyUnder(options, lease, { symbol, signal })
  } finally {
    await lease.release()
  }
}

/** First what a run before this one has applied and not told. */
async function applyUnder(
  options: MarketApplyOptions,
  lease: SymbolLease,
  { symbol, signal }: { readonly symbol: string; readonly signal: AbortSignal },
): Promise<ApplyMarketDataResult> {
  const total = { bars: 0, quotes: 0, signals: 0 }
  const tellAll = async () => {
    for (let told = 'more'; told === 'more'; ) {
      told = await tellDesk(options, symbol, signal)
      if (told !== 'nothing') await lease.renew()
    }
  }
  let isMore = true
  while (isMore) {
    await tellAll()
    signal.throwIfAborted()
    const chunk = await applyChunk(options, symbol)
    total.bars += chunk.bars
    total.quotes += chunk.quotes
    total.signals = chunk.signals
    isMore = chunk.isMore
  }
  await tellAll()
  return total
}

/** What was told; after `more` there may be more. */
async function tellDesk(
  { sql, desk }: MarketApplyOptions,
  symbol: string,
  signal: AbortSignal,
): Promise<'nothing' | 'all' | 'more'> {
  const row = await readAppliedRow(sql, symbol, 'none')
  if (row === undefined) return 'nothing'
  const { bars, isMore } = await untoldBars(row, sql)
  const quote = untoldQuote(row)
  if (bars.length === 0 && quote === undefined) return 'nothing'
  signal.throwIfAborted()
  const live = bars.filter(({ isLive }) => isLive)
  const liveQuote = quote?.isLive === true ? quote : undefined
  await desk.onMarket({ clock: 'replay', symbol, bars, quote }, signal)
  if (live.length > 0 || liveQuote !== undefined) {
    await desk.onMarket({ clock: 'live', symbol, bars: live, quote: liveQuote }, signal)
  }
  const told = {
    ...(bars.length === 0 ? {} : { toldToMs: bars.at(-1)?.time }),
    ...(quote === undefined ? {} : { toldQuoteMs: quote.time }),
  }
  await sql`
    update postern_instrument set statistics = statistics || ${JSON.stringify(told)}::text::jsonb
    where symbol = ${symbol}`
  return isMore ? 'more' : 'all'
}

async function untoldBars(
  { symbol, appliedToMs, statistics }: AppliedRow,
  sql: Sql,
): Promise<BarChunk> {
  const afterMs = statistics.toldToMs ?? undefined
  if (appliedToMs === undefined || appliedToMs === afterMs) return { bars: [], isMore: false }
  const range = { symbol, afterMs, toMs: appliedToMs, limit: toldBars }
  return await readBarsAfter(sql, range)
}

/** Only one that was applied: before that, the bands that it moves are not known. */
function untoldQuote({ quote, statistics }: AppliedRow): AppliedRow['quote'] {
  if (quote === undefined || quote.time > (statistics.quoteToMs ?? 0)) return undefined
  return quote.time > (statistics.toldQuoteMs ?? 0) ? quote : undefined
}
