import { z } from 'zod'
import { amountOf, type Price } from '../amount.ts'
import type { MarkOf, SymbolDay } from './pnl-report.ts'
import type { DeskSql } from './read-rows.ts'

/**
 * What a symbol was worth at a day's end: the close of the last bar up to midnight in New York, a
 * day's bar before a shorter one of the same time, or the last price where that is newer.
 */
export async function readDayMarks(sql: DeskSql, wanted: readonly SymbolDay[]): Promise<MarkOf> {
  const rows = await sql`
    with recursive wanted as (
      select symbol, day, (day + 1)::timestamp at time zone 'America/New_York' as until
      from unnest(${wanted.map(({ symbol }) => symbol)}::text[],
        ${wanted.map(({ day }) => day)}::text[]::date[]) as w(symbol, day)
    ), intervals (symbol, interval_ms) as (
      -- One step through the index for each interval, instead of a look at every bar.
      select s.symbol, (select min(interval_ms) from postern_bar b where b.symbol = s.symbol)
      from (select distinct symbol from wanted) s
      union all
      select i.symbol, (select min(b.interval_ms) from postern_bar b
        where b.symbol = i.symbol and b.interval_ms > i.interval_ms)
      from intervals i where i.interval_ms is not null
    ), marks as (
      select w.symbol, w.day, b.time, b.interval_ms, b.close as price
      from wanted w join intervals i using (symbol)
      cross join lateral (
        select time, interval_ms, close from postern_bar
        where postern_bar.symbol = w.symbol and postern_bar.interval_ms = i.interval_ms
          and time <= w.until
        order by time desc limit 1
      ) b
      union all
      select w.symbol, w.day, i.last_time, 0, i.last_price
      from wanted w join postern_instrument i using (symbol)
      where i.last_price is not null and i.last_time <= w.until
    )
    select distinct on (symbol, day) symbol, day::text, price::text
    from marks order by symbol, day, time desc, interval_ms desc`
  const marks = new Map(
    rowsSchema.parse(rows).map(({ symbol, day, price }) => [keyOf(symbol, day), price]),
  )
  return (symbol, day): Price | undefined => marks.get(keyOf(symbol, day))
}

const rowsSchema = z.array(
  z.object({ symbol: z.string(), day: z.string(), price: z.string().transform(amountOf) }),
)

function keyOf(symbol: string, day: string): string {
  return `${symbol} ${day}`
}
