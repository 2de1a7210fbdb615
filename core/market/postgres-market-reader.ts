import type { Sql } from 'postgres'
import { z } from 'zod'
import { formatAmount } from '../order/amount.ts'
import { groupReads } from '../postgres/group-reads.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type LatestSignal, readSignals, type SignalKey } from './apply-signals.ts'
import { formatInterval } from './bar-interval.ts'
import { readSymbolMarkets, type SymbolRecord } from './postgres-market-store.ts'
import { midOf } from './quote-reference.ts'
import { type BarFilter, type BarPage, readBarPage, readNewestInterval } from './read-bars.ts'
import type { Strategy } from './signals.ts'

const decimal = z.string().meta({ description: 'Decimal', example: '101.25' })
const time = z.iso.datetime()

export const marketDocument = z.strictObject({
  symbol: z.string(),
  last: z.strictObject({ price: decimal, time }).optional(),
  quote: z
    .strictObject({
      ...{ time, bid: decimal, ask: decimal, bidSize: z.number(), askSize: z.number() },
      ...{ mid: decimal, spread: decimal },
    })
    .optional(),
  reference: z
    .strictObject({ price: decimal, time, source: z.enum(['mid', 'last']) })
    .optional()
    .meta({ description: 'What an order is measured by' }),
  statistics: z.strictObject({
    medianSpread: decimal.nullable(),
    meanBarVolume: z.number().nullable(),
    volatilityPercent: z.number().nullable(),
    rv5: z.number().nullable(),
    rv20: z.number().nullable(),
  }),
  interval: z.string().optional().meta({ description: 'Length of the bars', example: '1m' }),
  bars: z
    .array(
      z.strictObject({
        time: time.meta({ description: 'The end of the interval' }),
        ...{ open: decimal, high: decimal, low: decimal, close: decimal, volume: z.number() },
      }),
    )
    .meta({ description: 'Newest first' }),
  next: z.string().optional().meta({ description: 'The cursor of the next page, if there is one' }),
})
marketDocument.register(z.globalRegistry, { title: 'Market' })
export type MarketDocument = z.infer<typeof marketDocument>

const side = z.array(z.tuple([decimal, z.number()]))
export const bookDocument = z.strictObject({
  symbol: z.string(),
  time: time.nullable(),
  bids: side,
  asks: side,
})
bookDocument.register(z.globalRegistry, { title: 'OrderBook' })
export type BookDocument = z.infer<typeof bookDocument>

export const signalDocument = z.strictObject({
  symbol: z.string(),
  strategy: z.string(),
  signal: z.enum(['buy', 'sell', 'hold']),
  value: z.number().nullable(),
  time: time.nullable().meta({ description: 'Of the newest bar that it is made from' }),
  figures: z
    .record(z.string(), z.number())
    .nullable()
    .meta({ description: 'What the formula was given, beside the bars' }),
  reasons: z.array(z.string()).meta({ description: 'Why there is no value' }),
  interval: z.string().nullable(),
  other: z.string().nullable().meta({ description: 'The other symbol of a pair' }),
})
signalDocument.register(z.globalRegistry, { title: 'Signal' })
export type SignalDocument = z.infer<typeof signalDocument>

export type MarketFilter = Omit<BarFilter, 'intervalMs'> & {
  /** Undefined: that of the newest bar. */
  readonly intervalMs: number | undefined
}

/** All methods throw `database.unavailable` when Postgres is away. */
export type MarketReader = {
  /** Undefined for a symbol that is not known. */
  market(filter: MarketFilter): Promise<MarketDocument | undefined>
  book(symbol: string): Promise<BookDocument | undefined>
  signal(symbol: string, strategy: Strategy): Promise<SignalDocument>
}

/** Symbols are few and readers many: those that read at once share a statement, or an answer. */
export function postgresMarketReader({ sql }: { readonly sql: Sql }): MarketReader {
  const readBars = rememberedBars(sql)
  const market = groupReads<MarketFilter, MarketDocument | undefined>({
    async read(filters) {
      const records = await readSymbolMarkets(sql, [
        ...new Set(filters.map(({ symbol }) => symbol)),
      ])
      return await Promise.all(
        filters.map(async (filter) => {
          const record = records.get(filter.symbol)
          return record && marketOf(record, await readBars(filter, record.barsIngest))
        }),
      )
    },
    textOf: (filter) => JSON.stringify(filter),
    keysMax: 8,
  })
  const book = groupReads<string, BookDocument | undefined>({
    read: (symbols) => readBooks(sql, symbols),
    textOf: (symbol) => symbol,
    keysMax: 64,
  })
  const signal = groupReads<SignalKey, SignalDocument>({
    read: async (keys) => {
      const signals = await readSignals(sql, keys)
      return keys.map((key, at) => signalOf(key, signals[at]))
    },
    textOf: ({ symbol, strategy }) => `${symbol} ${strategy}`,
    keysMax: 64,
  })
  return {
    market: (filter) => market(filter).catch(rethrowAsOutage),
    book: (symbol) => book(symbol).catch(rethrowAsOutage),
    signal: (symbol, strategy) => signal({ symbol, strategy }).catch(rethrowAsOutage),
  }
}

type ShownBars = BarPage & { readonly intervalMs: number | undefined }

/** Behind every bar: none is taken from the future. */
const endOfTime = Date.UTC(9999, 0, 1)
/** A page has up to a thousand bars. */
const pagesMax = 64

/**
 * Reads pages of bars; one that was read before is not read again while the bars are the same. `ingest`
 * was read first, so that a page is never older than what it is kept under.
 */
function rememberedBars(
  sql: Sql,
): (filter: MarketFilter, ingest: string | null) => Promise<ShownBars> {
  const known = new Map<string, { readonly ingest: string | null; readonly shown: ShownBars }>()
  return async (filter, ingest) => {
    const text = JSON.stringify(filter)
    const before = known.get(text)
    const shown = before?.ingest === ingest ? before.shown : await readBars(sql, filter)
    // The one that was not asked for the longest goes first.
    known.delete(text)
    known.set(text, { ingest, shown })
    const [oldest] = known.keys()
    if (known.size > pagesMax && oldest !== undefined) known.delete(oldest)
    return shown
  }
}

async function readBars(sql: Sql, filter: MarketFilter): Promise<ShownBars> {
  const { symbol } = filter
  const intervalMs = filter.intervalMs ?? (await readNewestInterval(sql, symbol, endOfTime))
  if (intervalMs === undefined) return { bars: [], intervalMs }
  return { ...(await readBarPage(sql, { ...filter, intervalMs })), intervalMs }
}

function marketOf(record: SymbolRecord, { intervalMs, bars, next }: ShownBars): MarketDocument {
  return {
    symbol: record.instrument.symbol,
    ...pricesOf(record),
    statistics: statisticsIn(record),
    ...(intervalMs === undefined ? {} : { interval: formatInterval(intervalMs) }),
    bars: [...bars],
    ...(next === undefined ? {} : { next }),
  }
}

function pricesOf({ last, market, reference }: SymbolRecord) {
  const { quote } = market
  return {
    ...(last === undefined
      ? {}
      : { last: { price: formatAmount(last.price), time: timeText(last.atMs) } }),
    ...(quote === undefined
      ? {}
      : {
          quote: {
            time: timeText(quote.time),
            bid: formatAmount(BigInt(quote.bid)),
            ask: formatAmount(BigInt(quote.ask)),
            bidSize: quote.bidSize,
            askSize: quote.askSize,
            mid: formatAmount(BigInt(midOf(quote))),
            spread: formatAmount(BigInt(quote.ask - quote.bid)),
          },
        }),
    ...(reference === undefined ? {} : { reference: referenceText(reference) }),
  }
}

function referenceText({ price, atMs, source }: NonNullable<SymbolRecord['reference']>) {
  return { price: formatAmount(price), time: timeText(atMs), source }
}

function statisticsIn({ market, statistics }: SymbolRecord): MarketDocument['statistics'] {
  const { medianSpread, volatilityPercent } = market
  const { meanBarVolume, rv5, rv20 } = statistics
  return {
    medianSpread: medianSpread === undefined ? null : formatAmount(medianSpread),
    meanBarVolume,
    volatilityPercent: volatilityPercent ?? null,
    ...{ rv5, rv20 },
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

const storedLevelsSchema = z.object({ time: z.number(), bids: side, asks: side })

/** In the order of the symbols. */
async function readBooks(
  sql: Sql,
  symbols: readonly string[],
): Promise<readonly (BookDocument | undefined)[]> {
  const rows = await sql<{ symbol: string; levels: unknown }[]>`
    select symbol, levels from postern_instrument where symbol = any(${[...symbols]})`
  const known = new Map(rows.map((row) => [row.symbol, row]))
  return symbols.map((symbol) => {
    const row = known.get(symbol)
    return row === undefined ? undefined : bookOf(row)
  })
}

function bookOf(row: { readonly symbol: string; readonly levels: unknown }): BookDocument {
  const { symbol } = row
  const levels = storedLevelsSchema.nullable().parse(row.levels)
  if (levels === null) return { symbol, time: null, bids: [], asks: [] }
  return { symbol, time: timeText(levels.time), bids: levels.bids, asks: levels.asks }
}

/** Clients poll this one and take only an answer: what is not known yet is to hold. */
function signalOf(about: SignalKey, stored: LatestSignal | undefined): SignalDocument {
  if (stored === undefined) {
    const nothing = { signal: 'hold', value: null, time: null, figures: null } as const
    const reasons = ['no bars of this symbol have been applied']
    return { ...about, ...nothing, reasons, interval: null, other: null }
  }
  const { signal, value, figures, reasons, intervalMs, other } = stored
  const interval = intervalMs === null ? null : formatInterval(intervalMs)
  const at = stored.time.toISOString()
  return { ...about, signal, value, time: at, figures, reasons: [...reasons], interval, other }
}
