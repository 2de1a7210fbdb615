import type { Sql, TransactionSql } from 'postgres'
import { type Nanos, nanosOf } from './bar.ts'
import { dayIntervalMs } from './bar-interval.ts'
import type { Statistics } from './postgres-market-store.ts'
import { readLastBars, readNewestInterval } from './read-bars.ts'
import { exchangeDay, previousTradingDay, sessionOfDay } from './session.ts'
import { advanceVolatility, estimateVolatility, noVolatility } from './volatility.ts'

/** Bars whose volumes are averaged. */
const volumeBars = 20
/** Closes of twenty returns. */
const dailyCloses = 21

export type Figures = Omit<Statistics, 'toldToMs' | 'quoteToMs' | 'toldQuoteMs' | 'markedQuoteMs'>

/** What is known of a symbol from its bars up to a time; later ones change nothing of it. */
export async function readFigures(
  sql: Sql | TransactionSql,
  symbol: string,
  toMs: number,
): Promise<Figures> {
  const intervalMs = await readNewestInterval(sql, symbol, toMs)
  if (intervalMs === undefined) {
    const nothing = { intervalMs: null, meanBarVolume: null }
    return { ...nothing, rv5: null, rv20: null, volatilityPercent: null }
  }
  const bars = await readLastBars(sql, { symbol, intervalMs, toMs }, volumeBars)
  const closes = await readDailyCloses(sql, { symbol, intervalMs, toMs })
  const estimate = estimateVolatility(closes.reduce(advanceVolatility, noVolatility))
  return {
    intervalMs,
    meanBarVolume: bars.reduce((sum, { volume }) => sum + volume, 0) / bars.length,
    rv5: estimate.rv5 ?? null,
    rv20: estimate.rv20 ?? null,
    volatilityPercent: estimate.percent ?? null,
  }
}

/**
 * Of the last sessions that have ended, oldest first: the bar of the day, or else the last bar
 * within half a day before the close. Days without either are left out.
 */
async function readDailyCloses(
  sql: Sql | TransactionSql,
  of: { readonly symbol: string; readonly intervalMs: number; readonly toMs: number },
): Promise<readonly Nanos[]> {
  const { symbol, intervalMs } = of
  const rows = await sql<{ close: string | null }[]>`
    select coalesce(
      (select close from postern_bar b where b.symbol = ${symbol}
        and b.interval_ms = ${dayIntervalMs} and b.time = day.close_time),
      (select close from postern_bar b where b.symbol = ${symbol}
        and b.interval_ms = ${intervalMs} and b.time <= day.close_time
        and b.time > day.close_time - interval '12 hours' order by b.time desc limit 1))::text
      as close
    from (select text::timestamptz as close_time
      from unnest(${closesBefore(of.toMs)}::text[]) as given(text)) as day
    order by day.close_time`
  return rows.flatMap(({ close }) => (close === null ? [] : [nanosOf(close)]))
}

/** RFC 3339, newest first. */
function closesBefore(toMs: number): string[] {
  const closes: string[] = []
  let day: string | undefined = exchangeDay(toMs)
  while (day !== undefined && closes.length < dailyCloses) {
    const closeMs = sessionOfDay(day)?.closeMs
    if (closeMs !== undefined && closeMs <= toMs) closes.push(new Date(closeMs).toISOString())
    day = previousTradingDay(day)
  }
  return closes
}
