import type { BarBlock } from './bar-block.ts'
import type { BarLine } from './bar-line.ts'

/** What recorded bars do not tell and a replay needs. */
export type Assumed = {
  /** Annualised percent to size by; undefined: from daily closes, once there are enough. */
  readonly vix: number | undefined
  /** Around each close, in 1/10,000 of it. */
  readonly spreadBasisPoints: number
}

/** Half a cent in nanos: no book of a stock is narrower than a cent. */
const halfSpreadMin = 5_000_000

/** Adds a recorded bar to a block that has room for it. */
export function appendBar(block: BarBlock, row: BarLine, { vix, spreadBasisPoints }: Assumed) {
  const at = block.length
  const half = Math.max(halfSpreadMin, Math.round((row.close * spreadBasisPoints) / 20_000))
  block.time[at] = row.time
  block.open[at] = row.open
  block.high[at] = row.high
  block.low[at] = row.low
  block.close[at] = row.close
  block.volume[at] = row.volume
  block.bid[at] = Math.max(1, row.close - half)
  block.ask[at] = row.close + half
  block.volatility[at] = vix ?? Number.NaN
  block.arrival[at] = row.time
  block.length = at + 1
}
