import type { Sql, TransactionSql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { Nanos } from '../market/bar.ts'
import { dayIntervalMs, formatInterval } from '../market/bar-interval.ts'
import { exchangeDay, previousTradingDay, sessionOf } from '../market/session.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type Assumed, appendBar } from './assumed-book.ts'
import {
  type BarBlock,
  type BarSource,
  blockBars,
  newBlock,
  openManifest,
  type SeriesKind,
  toldBlocks,
} from './bar-block.ts'
import type { BarLine } from './bar-line.ts'
import { sessionMs } from './scenario.ts'

export type StoredBarsOptions = Assumed & {
  /** One connection is enough; it is held while bars are read. */
  readonly sql: Sql
  readonly symbol: string
  /** Undefined: an index if it is the one that trips the breaker, else a stock. */
  readonly series: SeriesKind | undefined
  readonly intervalMs: number
  /** Milliseconds of the bars' ends: from the first on, and before the second. */
  readonly fromMs: number | undefined
  readonly beforeMs: number | undefined
}

/**
 * Bars as they were ingested, of one symbol and one length, in the order of their times. They are
 * read a block at a time from one snapshot, so that memory is flat and an upload that comes in
 * between changes nothing. Throws `market.not_found`, naming what is stored instead, and
 * `database.unavailable`.
 */
export async function openStoredBars(options: StoredBarsOptions): Promise<BarSource> {
  const extent = await readExtent(options).catch(rethrowAsOutage)
  if (extent.firstMs === null) return refuseEmpty(options)
  const { symbol, intervalMs, vix, spreadBasisPoints, fromMs, beforeMs } = options
  const priorClose = await readPriorClose(options, extent.firstMs).catch(rethrowAsOutage)
  const series = options.series ?? (await readSeries(options).catch(rethrowAsOutage))
  const asked = { symbol, interval: formatInterval(intervalMs), ...rangeOf({ fromMs, beforeMs }) }
  const parameters = { ...asked, vix, spreadBasisPoints, priorClose }
  const manifest = openManifest({ model: 'stored', parameters, seed: undefined })
  return {
    ...{ symbol, series, priorClose, barsExpected: extent.bars },
    barMs: intervalMs === dayIntervalMs ? sessionMs : intervalMs,
    blocks: toldBlocks(readBlocks(options), manifest),
    manifest: manifest.manifest,
  }
}

function rangeOf({ fromMs, beforeMs }: Pick<StoredBarsOptions, 'fromMs' | 'beforeMs'>) {
  const text = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return { from: text(fromMs), before: text(beforeMs) }
}

type Connection = Sql | TransactionSql

/** The key of the table is symbol, length and time: each of these is one range of its index. */
function wanted(sql: Connection, { symbol, intervalMs, fromMs, beforeMs }: StoredBarsOptions) {
  const from = fromMs === undefined ? null : new Date(fromMs)
  const before = beforeMs === undefined ? null : new Date(beforeMs)
  return sql`b.symbol = ${symbol} and b.interval_ms = ${intervalMs}
    and b.time >= coalesce(${from}::timestamptz, '-infinity')
    and b.time < coalesce(${before}::timestamptz, 'infinity')`
}

type Extent = { readonly bars: number; readonly firstMs: number | null }

async function readExtent(options: StoredBarsOptions): Promise<Extent> {
  const { sql } = options
  const [extent] = await sql<Extent[]>`
    select count(*)::float8 as bars, (extract(epoch from min(b.time)) * 1000)::float8 as "firstMs"
    from postern_bar b where ${wanted(sql, options)}`
  return extent ?? { bars: 0, firstMs: null }
}

/** The official close of the trading day before the first bar; only with it a first day has levels. */
async function readPriorClose(
  { sql, symbol, intervalMs }: StoredBarsOptions,
  firstMs: number,
): Promise<Nanos | undefined> {
  const [before] = await sql<{ timeMs: number; close: number }[]>`
    select (extract(epoch from b.time) * 1000)::float8 as "timeMs",
      (b.close * 1000000000)::float8 as close
    from postern_bar b
    where b.symbol = ${symbol} and b.interval_ms = ${intervalMs} and b.time < ${new Date(firstMs)}
    order by b.time desc limit 1`
  if (before === undefined || !(isWithinSession(firstMs) && isWithinSession(before.timeMs))) {
    return undefined
  }
  const isDayBefore = exchangeDay(before.timeMs) === previousTradingDay(exchangeDay(firstMs))
  return isDayBefore ? before.close : undefined
}

function isWithinSession(timeMs: number): boolean {
  const session = sessionOf(timeMs)
  return session !== undefined && timeMs > session.openMs && timeMs <= session.closeMs
}

async function readSeries({ sql, symbol }: StoredBarsOptions): Promise<SeriesKind> {
  const [row] = await sql<{ isIndex: boolean }[]>`
    select exists (select from postern_market where index_symbol = ${symbol}) as "isIndex"`
  return row?.isIndex === true ? 'index' : 'stock'
}

/** A cursor keeps the snapshot of its declaration; each block is one short statement. */
async function* readBlocks(options: StoredBarsOptions): AsyncGenerator<BarBlock> {
  const held = await holdTransaction(options.sql).catch(rethrowAsOutage)
  const { transaction } = held
  try {
    await transaction`
      declare postern_replay no scroll cursor for
      select (extract(epoch from b.time) * 1000)::float8 as time,
        (b.open * 1000000000)::float8 as open, (b.high * 1000000000)::float8 as high,
        (b.low * 1000000000)::float8 as low, (b.close * 1000000000)::float8 as close, b.volume
      from postern_bar b where ${wanted(transaction, options)} order by b.time`
    const fetched = transaction.unsafe(`${blockBars}`)
    const block = newBlock()
    for (;;) {
      const rows = await transaction<BarLine[]>`fetch ${fetched} from postern_replay`
      block.length = 0
      for (const row of rows) appendBar(block, row, options)
      if (block.length > 0) yield block
      if (rows.length < blockBars) return
    }
  } catch (error) {
    rethrowAsOutage(error)
  } finally {
    await held.end()
  }
}

type HeldTransaction = { readonly transaction: TransactionSql; readonly end: () => Promise<void> }

/** One that only reads, open until it is ended by whoever asks for the next block, or for none. */
async function holdTransaction(sql: Sql): Promise<HeldTransaction> {
  const begun = Promise.withResolvers<TransactionSql>()
  const over = Promise.withResolvers<void>()
  const ended = sql.begin('read only', async (transaction) => {
    begun.resolve(transaction)
    await over.promise
  })
  ended.catch(begun.reject)
  return {
    transaction: await begun.promise,
    async end() {
      over.resolve()
      await ended.catch(() => undefined)
    },
  }
}

type StoredLength = {
  readonly intervalMs: number
  readonly bars: number
  readonly first: string
  readonly last: string
}

async function refuseEmpty(options: StoredBarsOptions): Promise<never> {
  const { sql, symbol, intervalMs } = options
  const lengths = await sql<StoredLength[]>`
    select interval_ms::float8 as "intervalMs", count(*)::float8 as bars,
      to_char(min(time) at time zone 'UTC', 'YYYY-MM-DD') as first,
      to_char(max(time) at time zone 'UTC', 'YYYY-MM-DD') as last
    from postern_bar where symbol = ${symbol} group by interval_ms order by interval_ms`.catch(
    rethrowAsOutage,
  )
  const stored = lengths.map(
    ({ intervalMs: ms, bars, first, last }) =>
      `${bars} of ${formatInterval(ms)} from ${first} to ${last}`,
  )
  const detail =
    stored.length === 0
      ? `${symbol} has no bars: send them to POST /v1/market-data, or replay a file with --bars`
      : `${symbol} has no bars of ${formatInterval(intervalMs)} in that range; it has ${stored.join(', ')}`
  throw new PosternError('market.not_found', { detail })
}
