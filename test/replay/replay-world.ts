import { moneyOf } from '#core/order/amount.ts'
import type { BarBlock } from '#core/replay/bar-block.ts'
import { type GenerateOptions, generateBars } from '#core/replay/generate-bars.ts'
import { type FinishedRun, openReplay } from '#core/replay/replay.ts'
import { describeScenario, type ReplayResult, resultOf } from '#core/replay/replay-result.ts'
import { type ReplayRules, replayRules } from '#core/replay/replay-rules.ts'
import type { ReplayStrategy } from '#core/replay/strategy.ts'

export const cash = moneyOf('100000')

export type TestBar = {
  readonly time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly bid: number
  readonly ask: number
  readonly volatility: number
  readonly arrival: number
}

/** Copies: a source fills its block again. */
export function barsIn(block: BarBlock): TestBar[] {
  return Array.from({ length: block.length }, (_, index) => ({
    time: block.time[index] ?? Number.NaN,
    open: block.open[index] ?? Number.NaN,
    high: block.high[index] ?? Number.NaN,
    low: block.low[index] ?? Number.NaN,
    close: block.close[index] ?? Number.NaN,
    volume: block.volume[index] ?? Number.NaN,
    bid: block.bid[index] ?? Number.NaN,
    ask: block.ask[index] ?? Number.NaN,
    volatility: block.volatility[index] ?? Number.NaN,
    arrival: block.arrival[index] ?? Number.NaN,
  }))
}

export async function takeBars(options: GenerateOptions) {
  const source = generateBars(options)
  const bars: TestBar[] = []
  for await (const block of source.blocks) bars.push(...barsIn(block))
  return { bars, manifest: source.manifest() }
}

export type RegimeOptions = GenerateOptions & {
  readonly strategy?: ReplayStrategy
  readonly rules?: ReplayRules
}

export type Regime = {
  readonly bars: readonly TestBar[]
  readonly run: FinishedRun
  readonly result: ReplayResult
}

export async function runRegime(options: RegimeOptions): Promise<Regime> {
  const { strategy = 'buy_and_hold', rules = replayRules(cash), seed, scenario } = options
  const source = generateBars(options)
  const replay = openReplay({ source, cash, strategy, rules, seed })
  const bars: TestBar[] = []
  for await (const block of source.blocks) {
    replay.apply(block)
    bars.push(...barsIn(block))
  }
  const run = replay.finish()
  if (run === undefined) throw new Error('no bar lay within a session')
  const result = resultOf(run, source.manifest(), describeScenario(scenario, options))
  return { bars, run, result }
}
