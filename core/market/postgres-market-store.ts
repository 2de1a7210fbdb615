import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { amountOf } from '../order/amount.ts'
import type { Instrument, SymbolMarket } from '../order/check-input.ts'
import type { StatementPart } from '../postgres/statement-part.ts'
import { nanosOf, type Quote } from './bar.ts'
import { type BreakerState, breakerStateSchema } from './breaker.ts'
import { luldStateSchema, pausedUntil } from './luld.ts'
import { type LastTrade, type Reference, referenceOf } from './quote-reference.ts'
import { exchangeDay } from './session.ts'

export const marketClocks = ['live', 'replay'] as const
export type MarketClock = (typeof marketClocks)[number]

/** A long weekend: an older VIX says nothing about a symbol's today. */
const volatilityAgeMaxMs = 4 * 86_400_000

/** `statistics` of an instrument, by the worker that applies what is ingested. */
const statisticsSchema = z.object({
  /** The bars that the figures are of. */
  intervalMs: z.int().positive().nullable(),
  /** Shares per bar. */
  meanBarVolume: z.number().nullable(),
  /** Annualised, 0.2 is 20 %. */
  rv5: z.number().nullable(),
  rv20: z.number().nullable(),
  /** The larger of the two (or what stands in for the second), in percent. */
  volatilityPercent: z.number().nullable(),
  /** Milliseconds: up to this bar the desk has been told. */
  toldToMs: z.number().nullable(),
  /**
   * Milliseconds: the quote that was applied last, the last that the desk was told of, and the last by
   * which positions were marked.
   */
  quoteToMs: z.number().nullable(),
  toldQuoteMs: z.number().nullable(),
  markedQuoteMs: z.number().nullable(),
})
export type Statistics = z.infer<typeof statisticsSchema>
const noStatistics: Statistics = {
  intervalMs: null,
  meanBarVolume: null,
  rv5: null,
  rv20: null,
  volatilityPercent: null,
  toldToMs: null,
  quoteToMs: null,
  toldQuoteMs: null,
  markedQuoteMs: null,
}

export const storedQuoteSchema = z.object({
  time: z.number(),
  bid: z.string(),
  ask: z.string(),
  bidSize: z.number(),
  askSize: z.number(),
  medianSpread: z.number(),
  /** Of the live market when it came, as bars are. */
  isLive: z.boolean(),
})

export type StoredQuote = z.infer<typeof storedQuoteSchema>

/** `luld` of an instrument; `state` is the rule's own and opaque here. */
export const storedLuldSchema = z.object({
  state: z.unknown(),
  atMs: z.number(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pausedUntilMs: z.number().nullable(),
})
export type StoredLuld = z.infer<typeof storedLuldSchema>

// Made once: a schema compiles itself when it is used first, which takes longer than any row.
const objectColumn = z.looseObject({})
const quoteColumn = storedQuoteSchema.nullable()
const luldColumn = storedLuldSchema.nullable()
const breakerColumn = breakerStateSchema.nullable()

export type SymbolRecord = {
  readonly instrument: Instrument
  readonly market: SymbolMarket
  readonly sector: string | undefined
  readonly reference: Reference | undefined
  readonly last: LastTrade | undefined
  readonly statistics: Statistics
  /** The upload that has last changed bars of the symbol; null before any has. */
  readonly barsIngest: string | null
}

/** What an operator sets of an instrument, as its row has it. */
export type InstrumentRow = {
  readonly sector: string | null
  readonly isTradable: boolean
  readonly isRestricted: boolean
  readonly isShortable: boolean
  readonly lot: string
  readonly quantityMin: string
}

/** Its columns, of a table that is called `i`. */
export function instrumentColumns(sql: Sql | TransactionSql) {
  return sql`i.sector, i.is_tradable as "isTradable", i.is_restricted as "isRestricted",
    i.is_shortable as "isShortable", i.lot::text as lot, i.quantity_min::text as "quantityMin"`
}

type Row = InstrumentRow & {
  readonly symbol: string
  readonly haltedUntilMs: number | null
  readonly lastPrice: string | null
  readonly lastMs: number | null
  readonly quote: unknown
  readonly statistics: unknown
  readonly luld: unknown
  readonly barsIngest: string | null
  /** Of each market's index of volatility. */
  readonly livePrice: string | null
  readonly liveMs: number | null
  readonly replayPrice: string | null
  readonly replayMs: number | null
}

/** Of the live market; symbols that are not known are not in the map. */
export async function readSymbolMarkets(
  sql: Sql | TransactionSql,
  symbols: readonly string[],
): Promise<ReadonlyMap<string, SymbolRecord>> {
  const rows = await readRows(sql, symbols)
  return new Map(rows.map((row) => [row.symbol, recordOf(row, 'live')]))
}

/** The same for both clocks in one query; what nobody asks for is not made of its row. */
export async function readSymbolRecords(
  sql: Sql | TransactionSql,
  symbols: readonly string[],
  nowMs: number,
): Promise<(symbol: string, clock: MarketClock) => SymbolRecord | undefined> {
  const rows = await readRows(sql, symbols)
  const bySymbol = new Map(rows.map((row) => [row.symbol, row]))
  const made = new Map<string, SymbolRecord>()
  return (symbol, clock) => {
    const key = `${clock} ${symbol}`
    const row = bySymbol.get(symbol)
    const known = made.get(key)
    if (known !== undefined || row === undefined) return known
    const record = recordOf(row, clock, clock === 'live' ? nowMs : undefined)
    made.set(key, record)
    return record
  }
}

async function readRows(
  sql: Sql | TransactionSql,
  symbols: readonly string[],
): Promise<readonly Row[]> {
  return await sql<Row[]>`
    select i.symbol, ${instrumentColumns(sql)},
      (extract(epoch from i.halted_until) * 1000)::float8 as "haltedUntilMs",
      i.last_price::text as "lastPrice",
      (extract(epoch from i.last_time) * 1000)::float8 as "lastMs", i.quote, i.statistics, i.luld,
      i.bars_ingest as "barsIngest",
      live.last_price::text as "livePrice",
      (extract(epoch from live.last_time) * 1000)::float8 as "liveMs",
      replay.last_price::text as "replayPrice",
      (extract(epoch from replay.last_time) * 1000)::float8 as "replayMs"
    from postern_instrument i
    left join postern_instrument live on live.symbol = (
      select volatility_symbol from postern_market where clock = 'live')
    left join postern_instrument replay on replay.symbol = (
      select volatility_symbol from postern_market where clock = 'replay')
    where i.symbol = any(${[...symbols]}::text[])`
}

/** What each symbol of a query is worth now, where anything is known of it, and nothing else of it. */
export async function readReferences(
  sql: Sql | TransactionSql,
  symbols: StatementPart,
): Promise<ReadonlyMap<string, Reference>> {
  const rows = await sql<Pick<Row, 'symbol' | 'lastPrice' | 'lastMs' | 'quote'>[]>`
    select i.symbol, i.last_price::text as "lastPrice",
      (extract(epoch from i.last_time) * 1000)::float8 as "lastMs", i.quote
    from (select distinct symbol from (${symbols}) as every) as wanted
    join postern_instrument i on i.symbol = wanted.symbol`
  const known = rows.map((row) => {
    const stored = quoteColumn.parse(row.quote)
    return [row.symbol, referenceOf(lastOf(row), stored === null ? undefined : quoteOf(stored))]
  })
  return new Map(known.filter((one): one is [string, Reference] => one[1] !== undefined))
}

function recordOf(row: Row, clock: MarketClock, nowMs?: number): SymbolRecord {
  const last = lastOf(row)
  const stored = quoteColumn.parse(row.quote)
  const quote = stored === null ? undefined : quoteOf(stored)
  const reference = referenceOf(last, quote)
  const statistics = statisticsOf(row.statistics)
  return {
    instrument: instrumentOf(row, clock, { atMs: reference?.atMs, nowMs }),
    market: {
      reference,
      quote,
      medianSpread: stored === null ? undefined : BigInt(stored.medianSpread),
      meanBarVolume: statistics.meanBarVolume ?? undefined,
      volatilityPercent:
        volatilityOf(row, clock, reference) ?? statistics.volatilityPercent ?? undefined,
    },
    sector: row.sector ?? undefined,
    reference,
    last,
    statistics,
    barsIngest: row.barsIngest,
  }
}

function lastOf({ lastPrice, lastMs }: Pick<Row, 'lastPrice' | 'lastMs'>): LastTrade | undefined {
  if (lastPrice === null || lastMs === null) return undefined
  return { price: amountOf(lastPrice), atMs: lastMs }
}

export function quoteOf({ time, bid, ask, bidSize, askSize }: StoredQuote): Quote {
  return { time, bid: nanosOf(bid), ask: nanosOf(ask), bidSize, askSize }
}

/** Of an empty object: none. */
export function statisticsOf(column: unknown): Statistics {
  return statisticsSchema.parse({ ...noStatistics, ...objectColumn.parse(column) })
}

/** VIX itself, where it is of the days of the price that it sizes. */
function volatilityOf(
  row: Row,
  clock: MarketClock,
  reference: Reference | undefined,
): number | undefined {
  const [price, ms] =
    clock === 'live' ? [row.livePrice, row.liveMs] : [row.replayPrice, row.replayMs]
  if (price === null || ms === null || reference === undefined) return undefined
  return Math.abs(ms - reference.atMs) <= volatilityAgeMaxMs ? Number(price) : undefined
}

type Times = { readonly atMs: number | undefined; readonly nowMs: number | undefined }

function instrumentOf(row: Row, clock: MarketClock, { atMs, nowMs }: Times): Instrument {
  const luld = clock === 'live' ? luldOf(row.luld, atMs) : undefined
  const until = Math.max(row.haltedUntilMs ?? 0, pauseOf(luld, nowMs))
  const { symbol, isTradable, isRestricted, isShortable } = row
  const { lower = null, upper = null } = luld ?? {}
  return {
    ...{ symbol, isTradable, isRestricted, isShortable },
    lot: amountOf(row.lot),
    quantityMin: amountOf(row.quantityMin),
    haltedUntilMs: until === 0 ? undefined : until,
    band:
      lower === null || upper === null ? undefined : { lower: BigInt(lower), upper: BigInt(upper) },
  }
}

/** A limit state that has run out since the last event pauses too. */
function pauseOf(luld: StoredLuld | undefined, nowMs: number | undefined): number {
  if (luld === undefined) return 0
  const stored = luld.pausedUntilMs ?? 0
  if (nowMs === undefined) return stored
  return Math.max(stored, pausedUntil(luldStateSchema.parse(luld.state), nowMs) ?? 0)
}

/** Bands are of one day; yesterday's bind nothing. */
function luldOf(column: unknown, atMs: number | undefined): StoredLuld | undefined {
  const stored = luldColumn.parse(column)
  if (stored === null || atMs === undefined) return undefined
  return exchangeDay(stored.atMs) === exchangeDay(atMs) ? stored : undefined
}

export type MarketView = {
  /** Milliseconds of the newest event. */
  readonly timeMs: number | undefined
  readonly breaker: BreakerState | undefined
  /** Whose decline trips the market-wide breaker. */
  readonly indexSymbol: string | undefined
  readonly volatilitySymbol: string | undefined
}
export type Markets = Readonly<Record<MarketClock, MarketView>>

type MarketRow = {
  readonly clock: string
  readonly timeMs: number | null
  readonly breaker: unknown
  readonly indexSymbol: string | null
  readonly volatilitySymbol: string | null
}

const absent: MarketView = {
  timeMs: undefined,
  breaker: undefined,
  indexSymbol: undefined,
  volatilitySymbol: undefined,
}

/** Both markets; `update` locks them until the transaction ends, always in the same order. */
export async function readMarkets(
  sql: Sql | TransactionSql,
  lock: 'none' | 'update' = 'none',
): Promise<Markets> {
  const rows = await sql<MarketRow[]>`
    select clock, (extract(epoch from time) * 1000)::float8 as "timeMs", breaker,
      index_symbol as "indexSymbol", volatility_symbol as "volatilitySymbol"
    from postern_market order by clock ${lock === 'update' ? sql`for update` : sql``}`
  const views = new Map(rows.map((row) => [row.clock, viewOf(row)]))
  return { live: views.get('live') ?? absent, replay: views.get('replay') ?? absent }
}

function viewOf(row: MarketRow): MarketView {
  return {
    timeMs: row.timeMs ?? undefined,
    breaker: breakerColumn.parse(row.breaker) ?? undefined,
    indexSymbol: row.indexSymbol ?? undefined,
    volatilitySymbol: row.volatilitySymbol ?? undefined,
  }
}
