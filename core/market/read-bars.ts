import type { Sql, TransactionSql } from 'postgres'
import { type Bar, nanosOf } from './bar.ts'
import { liveWindowMs } from './ingest-commit.ts'
import type { MarketBar } from './ingest-row.ts'

/** A bar of a symbol that may have bars of several lengths. */
export type SizedBar = Bar & {
  readonly intervalMs: number
  /** It ended within minutes of its upload: an event of the live market, not of a replay. */
  readonly isLive: boolean
}

type Row = Omit<MarketBar, 'type' | 'symbol'> & Pick<SizedBar, 'isLive'>

/** The first 48 bits of a UUIDv7 (RFC 9562): when the upload of the bar began. */
function uploadedMs(sql: Sql | TransactionSql) {
  return sql`('x' || left(replace(b.ingest::text, '-', ''), 12))::bit(48)::bigint`
}

function columns(sql: Sql | TransactionSql) {
  return sql`b.interval_ms::float8 as "intervalMs",
    (extract(epoch from b.time) * 1000)::float8 as time, trim_scale(b.open)::text as open,
    trim_scale(b.high)::text as high, trim_scale(b.low)::text as low,
    trim_scale(b.close)::text as close, b.volume,
    abs(extract(epoch from b.time) * 1000 - ${uploadedMs(sql)}) <= ${liveWindowMs}::float8
      as "isLive"`
}

function barOf({ intervalMs, isLive, time, open, high, low, close, volume }: Row): SizedBar {
  return {
    ...{ intervalMs, isLive, time, volume },
    ...{ open: nanosOf(open), high: nanosOf(high), low: nanosOf(low), close: nanosOf(close) },
  }
}

/** The lengths of a symbol's bars, one step of the index each: `distinct` would read every bar. */
function intervals(sql: Sql | TransactionSql, symbol: string) {
  return sql`
    walk(interval_ms) as (
      select min(interval_ms) from postern_bar where symbol = ${symbol}
      union all
      select (select min(interval_ms) from postern_bar
        where symbol = ${symbol} and interval_ms > walk.interval_ms)
      from walk where walk.interval_ms is not null
    )`
}

/**
 * The length of the newest bar up to a time, of equally new ones the shortest; undefined without
 * bars.
 */
export async function readNewestInterval(
  sql: Sql | TransactionSql,
  symbol: string,
  toMs: number,
): Promise<number | undefined> {
  const [row] = await sql<{ intervalMs: number }[]>`
    with recursive ${intervals(sql, symbol)}
    select interval_ms::float8 as "intervalMs" from walk cross join lateral (
      select max(b.time) as time from postern_bar b where b.symbol = ${symbol}
        and b.interval_ms = walk.interval_ms and b.time <= ${new Date(toMs)}) newest
    where newest.time is not null order by newest.time desc, interval_ms limit 1`
  return row?.intervalMs
}

export type BarPage = { readonly bars: readonly PagedBar[]; readonly next?: string }
/** Decimals are texts, the time is RFC 3339. */
export type PagedBar = Omit<Record<keyof Bar, string>, 'volume'> & { readonly volume: number }

export type BarFilter = {
  readonly symbol: string
  readonly intervalMs: number
  /** RFC 3339, both included. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly limit: number
  /** Milliseconds as text: the time of the last bar of the page before. */
  readonly cursor: string | undefined
}

/** Newest first. */
export async function readBarPage(sql: Sql, filter: BarFilter): Promise<BarPage> {
  const { symbol, intervalMs, limit } = filter
  const before = filter.cursor === undefined ? null : new Date(Number(filter.cursor))
  const rows = await sql<Row[]>`
    select ${columns(sql)} from postern_bar b
    where b.symbol = ${symbol} and b.interval_ms = ${intervalMs}
      and b.time >= coalesce(${filter.from ?? null}::timestamptz, '-infinity')
      and b.time <= coalesce(${filter.to ?? null}::timestamptz, 'infinity')
      and b.time < coalesce(${before}::timestamptz, 'infinity')
    order by b.time desc limit ${limit + 1}`
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const bars = page.map(({ time, open, high, low, close, volume }) => ({
    time: new Date(time).toISOString(),
    ...{ open, high, low, close, volume },
  }))
  return rows.length > limit && last !== undefined ? { bars, next: String(last.time) } : { bars }
}

export type BarsAfter = {
  readonly symbol: string
  readonly afterMs: number | undefined
  /** The end, included. */
  readonly toMs?: number
  readonly limit: number
}

export type BarChunk = { readonly bars: readonly SizedBar[]; readonly isMore: boolean }

/**
 * Bars of every length behind a time, in order of time, of one time the shortest first. About
 * `limit` of them: bars that end together stay together, so the last time is a place to go on from.
 */
export async function readBarsAfter(
  sql: Sql | TransactionSql,
  { symbol, afterMs, toMs, limit }: BarsAfter,
): Promise<BarChunk> {
  const after = afterMs === undefined ? null : new Date(afterMs)
  const to = toMs === undefined ? null : new Date(toMs)
  const rows = await sql<Row[]>`
    with recursive ${intervals(sql, symbol)}
    select b.* from walk cross join lateral (
      select ${columns(sql)} from postern_bar b
      where b.symbol = ${symbol} and b.interval_ms = walk.interval_ms
        and b.time > coalesce(${after}::timestamptz, '-infinity')
        and b.time <= coalesce(${to}::timestamptz, 'infinity')
      order by b.time limit ${limit}) b
    order by b.time, b."intervalMs" limit ${limit}`
  if (rows.length < limit) return { bars: rows.map(barOf), isMore: false }
  const cut = rows.at(-1)?.time
  const whole = rows.filter((row) => row.time !== cut)
  return { bars: (whole.length > 0 ? whole : rows).map(barOf), isMore: true }
}

/** The last bars of one length up to a time, oldest first. */
export async function readLastBars(
  sql: Sql | TransactionSql,
  of: { readonly symbol: string; readonly intervalMs: number; readonly toMs: number },
  count: number,
): Promise<readonly SizedBar[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from postern_bar b
    where b.symbol = ${of.symbol} and b.interval_ms = ${of.intervalMs}
      and b.time <= ${new Date(of.toMs)}
    order by b.time desc limit ${count}`
  return rows.map(barOf).toReversed()
}
