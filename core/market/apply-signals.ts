import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { dayIntervalMs } from './bar-interval.ts'
import { readLastBars, readNewestInterval, type SizedBar } from './read-bars.ts'
import { seriesOf } from './rolling-window.ts'
import {
  meanReversion,
  momentum,
  momentumRules,
  pairs,
  pairsRules,
  type Strategy,
  strategies,
} from './signals.ts'

/** The longest look back of the three, and the close that it is measured from. */
const closesMax = momentumRules.lookback + 1
/** Bars of days are taken while they go on: weekly holidays are the longest break of theirs. */
const dayBarsAgeMaxMs = 7 * dayIntervalMs

/** As it stands in the column; all figures are doubles, as the formulas have them. */
const storedSignalSchema = z.object({
  signal: z.enum(['buy', 'sell', 'hold']),
  value: z.number().nullable(),
  figures: z.record(z.string(), z.number()).nullable(),
  reasons: z.array(z.string()).readonly(),
  intervalMs: z.number().nullable(),
  other: z.string().nullable(),
})
export type StoredSignal = z.infer<typeof storedSignalSchema>

export type SignalInput = {
  readonly symbol: string
  /** For pairs; undefined: none. */
  readonly other: string | undefined
  /** Milliseconds: bars that end later count for nothing. */
  readonly toMs: number
}

/** Reckons and stores the signals of all strategies; returns how many there are. */
export async function storeSignals(sql: TransactionSql, input: SignalInput): Promise<number> {
  const bars = await readSignalBars(sql, input)
  const last = bars.at(-1)
  if (last === undefined) return 0
  const { intervalMs } = last
  const closes = seriesOf(bars.map(({ close }) => close))
  const signals = {
    momentum: { ...momentum(closes), intervalMs, other: null },
    mean_reversion: { ...meanReversion(closes), intervalMs, other: null },
    pairs: { ...(await pairSignal(sql, input, bars)), intervalMs, other: input.other ?? null },
  } satisfies Record<Strategy, StoredSignal>
  const rows = strategies.map((strategy) => ({ strategy, signal: signals[strategy] }))
  await sql`
    insert into postern_signal (symbol, strategy, time, signal)
    select ${input.symbol}, strategy, ${new Date(last.time)}::timestamptz, signal
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(strategy text, signal jsonb)
    on conflict (symbol, strategy) do update set time = excluded.time, signal = excluded.signal`
  return strategies.length
}

/** Bars of days where a symbol has them: the look backs are counted in trading days. */
async function readSignalBars(
  sql: TransactionSql,
  { symbol, toMs }: SignalInput,
): Promise<readonly SizedBar[]> {
  const days = await readLastBars(sql, { symbol, intervalMs: dayIntervalMs, toMs }, closesMax)
  const lastDay = days.at(-1)
  if (lastDay !== undefined && toMs - lastDay.time <= dayBarsAgeMaxMs) return days
  const intervalMs = await readNewestInterval(sql, symbol, toMs)
  return intervalMs === undefined
    ? []
    : await readLastBars(sql, { symbol, intervalMs, toMs }, closesMax)
}

async function pairSignal(
  sql: TransactionSql,
  { symbol, other, toMs }: SignalInput,
  bars: readonly SizedBar[],
): Promise<ReturnType<typeof pairs>> {
  if (other === undefined || other === symbol) {
    return { signal: 'hold', value: null, figures: null, reasons: ['no other symbol to pair with'] }
  }
  const intervalMs = bars.at(-1)?.intervalMs ?? dayIntervalMs
  const others = await readLastBars(sql, { symbol: other, intervalMs, toMs }, closesMax)
  const closeAt = new Map(others.map(({ time, close }) => [time, close]))
  const both = bars.flatMap(({ time, close }) => {
    const beside = closeAt.get(time)
    return beside === undefined ? [] : [{ close, beside }]
  })
  const last = both.slice(-pairsRules.count)
  return pairs(seriesOf(last.map((each) => each.close)), seriesOf(last.map((each) => each.beside)))
}

export type LatestSignal = StoredSignal & { readonly time: Date }

export type SignalKey = { readonly symbol: string; readonly strategy: Strategy }

/** In the order of the keys; undefined until data of the symbol have been applied. */
export async function readSignals(
  sql: Sql,
  keys: readonly SignalKey[],
): Promise<readonly (LatestSignal | undefined)[]> {
  const rows = await sql<{ time: Date | null; signal: unknown }[]>`
    select s.time, s.signal
    from unnest(${keys.map((key) => key.symbol)}::text[], ${keys.map((key) => key.strategy)}::text[])
      with ordinality as w(symbol, strategy, n)
    left join postern_signal s on s.symbol = w.symbol and s.strategy = w.strategy order by w.n`
  return rows.map(({ time, signal }) =>
    time === null ? undefined : { ...storedSignalSchema.parse(signal), time },
  )
}
