import { moneyOf } from '#core/order/amount.ts'
import type { BarBlock } from '#core/replay/bar-block.ts'
import { generateBars } from '#core/replay/generate-bars.ts'
import { openReplay } from '#core/replay/replay.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { type ReplayStrategy, replayStrategies } from '#core/replay/strategy.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'

/**
 * Bars a second that one process replays for one symbol, generator and digest included, beside
 * making the same bars and adding up their closes; then what of memory a long run keeps.
 *
 *   bun test/bench/backtest.ts [--json]
 */
const bars = 1_000_000
const rounds = 5
const cash = moneyOf('100000')
const scenario = 'volatility'

function replayed(strategy: ReplayStrategy, count: number): number {
  const source = generateBars({ scenario, seed: 7, bars: count, barSeconds: barSecondsOf(count) })
  const replay = openReplay({ source, cash, strategy, rules: replayRules(cash), seed: 7 })
  return timed(count, source.blocks, (block) => replay.apply(block))
}

function summed(count: number): number {
  const source = generateBars({ scenario, seed: 7, bars: count, barSeconds: barSecondsOf(count) })
  const sum = new Float64Array(1)
  return timed(count, source.blocks, (block) => {
    for (let index = 0; index < block.length; index += 1) {
      sum[0] = (sum[0] ?? 0) + (block.close[index] ?? 0)
    }
  })
}

/** The calendar holds some twenty years from where long runs begin. */
function barSecondsOf(count: number): number {
  return count > 2_000_000 ? 10 : 60
}

function timed(
  count: number,
  blocks: Iterable<BarBlock> | AsyncIterable<BarBlock>,
  take: (block: BarBlock) => void,
): number {
  if (!(Symbol.iterator in blocks)) throw new Error('a generator is synchronous')
  const start = performance.now()
  for (const block of blocks) take(block)
  return count / ((performance.now() - start) / 1_000)
}

function residentMebibytes(): number {
  Bun.gc(true)
  return process.memoryUsage.rss() / 1_048_576
}

const contestants = {
  summed: async () => summed(bars),
  buy_and_hold: async () => replayed('buy_and_hold', bars),
  momentum: async () => replayed('momentum', bars),
  mean_reversion: async () => replayed('mean_reversion', bars),
}
// What runs first pays for compiling what all of them use.
for (const run of Object.values(contestants)) await run()
const turns = await inTurns(rounds, contestants)

replayed('momentum', 100_000)
const short = residentMebibytes()
const rate = replayed('momentum', 10_000_000)
const long = residentMebibytes()
note(`10,000,000 bars: ${Math.round(rate).toLocaleString('en')} bars/s`)
note(`resident after 100,000 bars ${short.toFixed(0)} MiB, after 10,000,000 ${long.toFixed(0)} MiB`)

const figures: Figure[] = replayStrategies.map((strategy) => ({
  name: `backtest, one symbol, ${strategy}`,
  unit: 'bars/s',
  ours: turns.medianOf(strategy),
  baseline: turns.baseline(strategy, 'summed', 'make the bars, add up their closes'),
  required: { valueMin: 1_000_000 },
}))
figures.push({
  name: 'backtest, memory that 100 times the bars add',
  unit: 'MiB',
  ours: long - short,
  baseline: undefined,
  required: { valueMax: 32 },
})
process.exit(printFigures(figures) ? 0 : 1)
