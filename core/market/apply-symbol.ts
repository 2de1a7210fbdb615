import type { Sql, TransactionSql } from 'postgres'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { advanceBands, knownBands } from './apply-bands.ts'
import { type BreakerChange, turnIndex } from './apply-breaker.ts'
import { storeSignals } from './apply-signals.ts'
import { readFigures } from './apply-statistics.ts'
import type { Quote } from './bar.ts'
import { dayIntervalMs } from './bar-interval.ts'
import type { BreakerRules } from './breaker.ts'
import {
  type MarketClock,
  type Markets,
  marketClocks,
  quoteOf,
  readMarkets,
  type Statistics,
  type StoredLuld,
  statisticsOf,
  storedLuldSchema,
  storedQuoteSchema,
} from './postgres-market-store.ts'
import { readBarsAfter, readLastBars, readNewestInterval, type SizedBar } from './read-bars.ts'
import { exchangeDay, previousTradingDay, sessionOfDay } from './session.ts'

/** Bars of one commit, about 200 KiB. */
const chunkBars = 1_000

export type ApplyOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
  /** Of the market-wide breaker. */
  readonly rules: BreakerRules
  /** The symbol that a symbol is paired with; undefined: the index. */
  readonly pairOf: (symbol: string) => string | undefined
}

/** What one commit has applied. */
export type AppliedChunk = {
  readonly bars: number
  readonly quotes: number
  readonly signals: number
  /** There may be more bars. */
  readonly isMore: boolean
}

const nothing: AppliedChunk = { bars: 0, quotes: 0, signals: 0, isMore: false }

/** A symbol's row as it is applied. */
export type AppliedRow = {
  readonly symbol: string
  readonly appliedToMs: number | undefined
  readonly tier: 1 | 2
  readonly luld: StoredLuld | undefined
  readonly quote: AppliedQuote | undefined
  readonly statistics: Statistics
  /** Bars were stored or corrected since its figures were reckoned. */
  readonly isChanged: boolean
}

export type AppliedQuote = Quote & { readonly isLive: boolean }

/**
 * One commit: the next bars behind `applied_to`, and the quote if it is new, make statistics, bands,
 * breakers and signals; with the records of what a breaker did. The row's lock keeps others out, and
 * `applied_to` moves with it, so that every bar is applied once, however often a worker dies.
 */
export function applyChunk(options: ApplyOptions, symbol: string): Promise<AppliedChunk> {
  const { sql, journal } = options
  return recordedTransaction(sql, journal, async (transaction, record) => {
    const row = await readAppliedRow(transaction, symbol, 'update')
    if (row === undefined) return nothing
    const after = { symbol, afterMs: row.appliedToMs, limit: chunkBars }
    const { bars, isMore } = await readBarsAfter(transaction, after)
    const quote = newQuote(row)
    const toMs = bars.at(-1)?.time ?? row.appliedToMs
    const markets = await advanceMarkets(transaction, options, { row, bars })
    const luld = await nextBands(transaction, { row, bars, quote, markets })
    // A quote alone changes no figure of the bars.
    const figuresTo = row.isChanged || bars.length > 0 ? toMs : undefined
    await storeTurn(transaction, row, { toMs, figuresTo, quote, luld, isMore })
    const other = options.pairOf(symbol) ?? indexOf(markets)
    const signals =
      figuresTo === undefined
        ? 0
        : await storeSignals(transaction, { symbol, other, toMs: figuresTo })
    await record(markets.records)
    return { bars: bars.length, quotes: quote === undefined ? 0 : 1, signals, isMore }
  })
}

async function storeTurn(
  sql: TransactionSql,
  { symbol, statistics: before }: AppliedRow,
  turn: {
    readonly toMs: number | undefined
    readonly figuresTo: number | undefined
    readonly quote: Quote | undefined
    readonly luld: StoredLuld | undefined
    readonly isMore: boolean
  },
): Promise<void> {
  const { toMs, figuresTo, quote, luld, isMore } = turn
  const figures = figuresTo === undefined ? {} : await readFigures(sql, symbol, figuresTo)
  const quoteToMs = quote?.time ?? before.quoteToMs
  const statistics = { ...before, ...figures, quoteToMs }
  await sql`
    update postern_instrument set statistics = ${JSON.stringify(statistics)}::text::jsonb,
      luld = ${luld === undefined ? null : JSON.stringify(luld)}::text::jsonb,
      applied_to = ${toMs === undefined ? null : new Date(toMs)}, bars_changed = ${isMore}
    where symbol = ${symbol}`
}

/** Undefined for a symbol that is not known. */
export async function readAppliedRow(
  sql: Sql | TransactionSql,
  symbol: string,
  lock: 'none' | 'update',
): Promise<AppliedRow | undefined> {
  const [row] = await sql<
    {
      appliedToMs: number | null
      tier: number
      luld: unknown
      quote: unknown
      statistics: unknown
      isChanged: boolean
    }[]
  >`
    select (extract(epoch from applied_to) * 1000)::float8 as "appliedToMs", luld_tier as tier,
      luld, quote, statistics, bars_changed as "isChanged"
    from postern_instrument where symbol = ${symbol} ${lock === 'update' ? sql`for update` : sql``}`
  if (row === undefined) return undefined
  const quote = storedQuoteSchema.nullable().parse(row.quote)
  return {
    symbol,
    appliedToMs: row.appliedToMs ?? undefined,
    tier: row.tier === 2 ? 2 : 1,
    luld: storedLuldSchema.nullable().parse(row.luld) ?? undefined,
    quote: quote === null ? undefined : { ...quoteOf(quote), isLive: quote.isLive },
    statistics: statisticsOf(row.statistics),
    isChanged: row.isChanged,
  }
}

function newQuote({ quote, statistics }: AppliedRow): AppliedQuote | undefined {
  return quote !== undefined && quote.time > (statistics.quoteToMs ?? 0) ? quote : undefined
}

type Turn = { readonly row: AppliedRow; readonly bars: readonly SizedBar[] }
type AdvancedMarkets = Markets & { readonly records: readonly AuditRecord[] }

/** The breaker of each market whose index the symbol is; the live one sees live bars only. */
async function advanceMarkets(
  sql: TransactionSql,
  { now, rules }: ApplyOptions,
  { row: { symbol, appliedToMs }, bars }: Turn,
): Promise<AdvancedMarkets> {
  const known = await readMarkets(sql)
  if (!marketClocks.some((clock) => known[clock].indexSymbol === symbol)) {
    return { ...known, records: [] }
  }
  // After the instrument's row, in the order in which an upload locks them.
  const markets = await readMarkets(sql, 'update')
  const at = now()
  const readDay = async (toMs: number) => {
    const [day] = await readLastBars(sql, { symbol, intervalMs: dayIntervalMs, toMs }, 1)
    return day
  }
  const dayUpTo = await readDay(bars.at(-1)?.time ?? appliedToMs ?? 0)
  const records: AuditRecord[] = []
  for (const clock of marketClocks) {
    if (markets[clock].indexSymbol !== symbol) continue
    const ticks = clock === 'live' ? bars.filter(({ isLive }) => isLive) : bars
    const [first] = ticks
    const dayBefore = first === undefined ? undefined : await readDay(first.time - 1)
    const advanced = turnIndex(markets[clock].breaker, { ticks, dayBefore, dayUpTo }, rules)
    records.push(...advanced.changes.map((change) => changeRecord(change, { clock, at, symbol })))
    if (advanced.state === undefined) continue
    await sql`
      update postern_market set breaker = ${JSON.stringify(advanced.state)}::text::jsonb
      where clock = ${clock}`
  }
  return { ...markets, records }
}

function changeRecord(
  { from, to }: BreakerChange,
  about: { readonly clock: MarketClock; readonly at: Date; readonly symbol: string },
): AuditRecord {
  const { clock, at, symbol } = about
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: 'market.changed',
    at,
    target: `market/${clock}`,
    outcome: 'ok',
    reason: to.status,
    details: { symbol, from: from.status, breaker: to },
  })
}

function indexOf({ live, replay }: Markets): string | undefined {
  return live.indexSymbol ?? replay.indexSymbol
}

/** Bands are of single stocks and of the live market: an index has none. */
async function nextBands(
  sql: TransactionSql,
  turn: Turn & { readonly quote: AppliedQuote | undefined; readonly markets: Markets },
): Promise<StoredLuld | undefined> {
  const { row, quote, markets } = turn
  const { symbol, tier, luld: before } = row
  if (marketClocks.some((clock) => isFigure(markets, clock, symbol))) return undefined
  const bars = turn.bars.filter(({ isLive }) => isLive)
  const live = quote?.isLive === true ? quote : undefined
  const firstMs = bars[0]?.time ?? live?.time
  if (firstMs === undefined) return before
  // Bands that are known go on from what they know.
  const known = knownBands(before, tier)
  const priorClose = known === undefined ? await readPriorClose(sql, symbol, firstMs) : undefined
  return advanceBands({ known, tier, priorClose, bars, quote: live })
}

function isFigure(markets: Markets, clock: MarketClock, symbol: string): boolean {
  const { indexSymbol, volatilitySymbol } = markets[clock]
  return symbol === indexSymbol || symbol === volatilitySymbol
}

/** The last close of the trading day before a time's. */
async function readPriorClose(
  sql: TransactionSql,
  symbol: string,
  timeMs: number,
): Promise<number | undefined> {
  const before = previousTradingDay(exchangeDay(timeMs))
  const toMs = before === undefined ? undefined : sessionOfDay(before)?.closeMs
  if (toMs === undefined) return undefined
  const intervalMs = await readNewestInterval(sql, symbol, toMs)
  if (intervalMs === undefined) return undefined
  const [bar] = await readLastBars(sql, { symbol, intervalMs, toMs }, 1)
  return bar?.close
}
