import { describe, expect, test } from 'bun:test'
import { nanosPerCent } from '#core/market/bar.ts'
import { sessionOf } from '#core/market/session.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { newBlock } from '#core/replay/bar-block.ts'
import { generateBars } from '#core/replay/generate-bars.ts'
import { pricePath } from '#core/replay/price-path.ts'
import { scenarioNames, scenarioOf } from '#core/replay/scenario.ts'
import { type TestBar, takeBars } from './replay-world.ts'

const seeds = [1, 2, 3, 4, 5] as const
const yearMinutes = 252 * 390

const returnsOf = (bars: readonly TestBar[]) =>
  bars.slice(1).map((bar, index) => Math.log(bar.close / (bars[index]?.close ?? Number.NaN)))
const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const momentOf = (values: readonly number[], power: number) =>
  meanOf(values.map((value) => value ** power))

describe('a generator refuses', () => {
  test('bars that do not fill a minute', () => {
    expect(() => generateBars({ scenario: 'calm', seed: 1, barSeconds: 7 })).toThrow('whole number')
  })

  test('a day outside of the calendar, and to tell of bars it has not made', async () => {
    const source = generateBars({ scenario: 'calm', seed: 1, firstDay: '2036-01-02' })
    expect(() => source.manifest()).toThrow('when all bars have been taken')
    await expect(Array.fromAsync(source.blocks)).rejects.toThrow('calendar')
  })
})

describe('two runs of a seed are equal to the byte', () => {
  test.each(scenarioNames)('%s', async (scenario) => {
    const first = await takeBars({ scenario, seed: 11 })
    const second = await takeBars({ scenario, seed: 11 })
    const other = await takeBars({ scenario, seed: 12 })
    expect(second).toEqual(first)
    expect(other.manifest.sha256).not.toBe(first.manifest.sha256)
  })

  test('the manifest makes the same bars again: model, parameters, seed, digest', async () => {
    const { bars, manifest } = await takeBars({
      scenario: 'volatility',
      seed: 5,
      vix: 50,
      bars: 500,
    })
    expect(manifest).toMatchObject({ model: 'bates-bridge-1', seed: 5, bars: 500 })
    expect(manifest.parameters).toMatchObject({
      scenario: 'volatility',
      vix: [{ at: 0, value: 50 }],
    })
    expect(bars).toHaveLength(500)
    expect(manifest.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test('a run that goes on longer begins the same', async () => {
    const short = await takeBars({ scenario: 'volatility', seed: 3, bars: 700 })
    const long = await takeBars({ scenario: 'volatility', seed: 3, bars: 9_000 })
    expect(long.bars.slice(0, 700)).toEqual(short.bars)
  })
})

test('a source fills one block again and again: memory does not grow with the bars', async () => {
  const blocks = new Set<unknown>()
  const { blocks: source } = generateBars({ scenario: 'calm', seed: 1, bars: 50_000 })
  for await (const block of source) blocks.add(block)
  expect(blocks.size).toBe(1)
})

/** What is wrong with a bar that follows another. */
function barFaults(bar: TestBar, before: TestBar | undefined): string[] {
  const { open, high, low, close, bid, ask } = bar
  const checks: readonly (readonly [string, boolean])[] = [
    ['extremes', low <= Math.min(open, close) && high >= Math.max(open, close)],
    ['book', bid < ask],
    ['cents', [open, high, low, close, bid, ask].every((price) => price % nanosPerCent === 0)],
    ['volume', bar.volume > 0],
    ['order', before === undefined || bar.time > before.time],
    ['arrival', bar.arrival >= bar.time],
    ['session', (sessionOf(bar.time)?.closeMs ?? 0) >= bar.time],
  ]
  return checks.filter(([, isRight]) => !isRight).map(([name]) => name)
}

test.each(scenarioNames)(
  '%s: every bar is one, in whole cents and in its session',
  async (scenario) => {
    for (const seed of seeds) {
      const { bars } = await takeBars({ scenario, seed })
      expect(bars.flatMap((bar, index) => barFaults(bar, bars[index - 1]))).toEqual([])
    }
  },
)

describe('a flash crash', () => {
  test.each(seeds)(
    'seed %i: from 100 to 80.00 in five minutes, recovered after thirty',
    async (seed) => {
      const { bars } = await takeBars({ scenario: 'flash-crash', seed })
      const closeAt = (minute: number) => (bars[minute - 1]?.close ?? 0) / nanosPerCent
      expect(closeAt(60)).toBe(10_000)
      expect(closeAt(65)).toBe(8_000)
      const before = Math.max(...bars.slice(0, 60).map(({ close }) => close / nanosPerCent))
      expect(closeAt(90)).toBe(before)
    },
  )

  test('falls as far as it is asked to', async () => {
    const { bars } = await takeBars({ scenario: 'flash-crash', seed: 1, crashPercent: 35 })
    expect(bars[64]?.close).toBe(65e9)
  })
})

test.each([
  ['gap-up', 1.1],
  ['gap-down', 0.9],
] as const)('%s: the second session opens at %d of the close before', async (scenario, part) => {
  for (const seed of seeds) {
    const { bars } = await takeBars({ scenario, seed })
    const close = bars[389]?.close ?? 0
    expect(Math.abs((bars[390]?.open ?? 0) - close * part)).toBeLessThanOrEqual(nanosPerCent)
  }
})

test('a liquidity crisis dries volume up to a hundredth and widens the spread past 1 %', async () => {
  const { bars } = await takeBars({ scenario: 'liquidity-crisis', seed: 1 })
  const spread = ({ bid, ask }: TestBar) => (2 * (ask - bid)) / (ask + bid)
  const calm = bars.slice(20, 80)
  const dry = bars.slice(140, 190)
  expect(meanOf(dry.map(({ volume }) => volume))).toBeLessThan(
    meanOf(calm.map(({ volume }) => volume)) / 40,
  )
  expect(Math.min(...dry.map(spread))).toBeGreaterThan(0.01)
  expect(Math.max(...calm.map(spread))).toBeLessThan(0.001)
})

test('data are at once there in a calm market, and up to four seconds late under five times the load', async () => {
  const late = ({ time, arrival }: TestBar) => arrival - time
  const calm = await takeBars({ scenario: 'calm', seed: 1 })
  const load = await takeBars({ scenario: 'message-load', seed: 1 })
  expect(Math.max(...calm.bars.map(late))).toBe(0)
  expect(Math.max(...load.bars.map(late))).toBe(4_000)
  expect(meanOf(load.bars.map(late))).toBeGreaterThan(1_000)
  expect(load.bars).toHaveLength(5 * calm.bars.length)
})

describe('the model', () => {
  test.each([15, 45, 80])(
    'VIX %d is the volatility of its minutes, jumps included',
    async (vix) => {
      const { bars } = await takeBars({ scenario: 'volatility', seed: 2, vix, bars: 200_000 })
      const expected = vix / 100 / Math.sqrt(yearMinutes)
      const measured = Math.sqrt(momentOf(returnsOf(bars), 2))
      expect(Math.abs(measured / expected - 1)).toBeLessThan(0.05)
      // The mistake of taking VIX for a daily figure.
      expect(measured).toBeLessThan((vix / 100 / Math.sqrt(390)) * 0.1)
    },
  )

  test('has fat tails, and calm and wild times: kurtosis above 3, |r| correlates with itself', async () => {
    const { bars } = await takeBars({ scenario: 'volatility', seed: 4, bars: 100_000 })
    const returns = returnsOf(bars)
    expect(momentOf(returns, 4) / momentOf(returns, 2) ** 2).toBeGreaterThan(3.5)
    const sizes = returns.map(Math.abs)
    const mean = meanOf(sizes)
    const variance = momentOf(
      sizes.map((size) => size - mean),
      2,
    )
    for (const lag of [1, 10, 60]) {
      const products = sizes
        .slice(lag)
        .map((size, index) => (size - mean) * ((sizes[index] ?? 0) - mean))
      expect(meanOf(products) / variance).toBeGreaterThan(0.02)
    }
    const plain = returns.slice(1).map((value, index) => value * (returns[index] ?? 0))
    expect(Math.abs(meanOf(plain) / momentOf(returns, 2))).toBeLessThan(0.02)
  })

  test('jumps as often as Poisson says: one a day, variance equal to the mean', () => {
    const path = pricePath({
      scenario: scenarioOf('volatility'),
      barMinutes: 1,
      random: seededRandom(9),
    })
    const days = Array.from({ length: 2_000 }, (_, day) => {
      let jumps = 0
      for (let minute = 0; minute < 390; minute += 1)
        jumps += path.next(day * 390 + minute, 0).jumps
      return jumps
    })
    const mean = meanOf(days)
    const variance = momentOf(
      days.map((count) => count - mean),
      2,
    )
    expect(mean).toBeGreaterThan(0.93)
    expect(mean).toBeLessThan(1.07)
    expect(variance / mean).toBeGreaterThan(0.9)
    expect(variance / mean).toBeLessThan(1.1)
    expect(days.filter((count) => count === 0).length / days.length).toBeCloseTo(Math.exp(-1), 1)
  })

  test('is a martingale: the compensator takes out what jumps bring', () => {
    const ends = Array.from({ length: 3_000 }, (_, seed) => {
      const path = pricePath({
        scenario: scenarioOf('volatility'),
        barMinutes: 30,
        random: seededRandom(seed),
      })
      let close = 0
      for (let bar = 0; bar < 13 * 20; bar += 1) close = path.next(bar * 30, 0).close
      return Math.exp(close)
    })
    const mean = meanOf(ends)
    const error = Math.sqrt(
      momentOf(
        ends.map((end) => end - mean),
        2,
      ) / ends.length,
    )
    expect(Math.abs(mean - 1)).toBeLessThan(3 * error)
  })

  test('extremes have the range that Brownian motion has (Parkinson 1980)', async () => {
    const { bars } = await takeBars({ scenario: 'volatility', seed: 6, bars: 100_000 })
    const range =
      momentOf(
        bars.map(({ high, low }) => Math.log(high / low)),
        2,
      ) /
      (4 * Math.LN2)
    expect(Math.abs(Math.sqrt(range / momentOf(returnsOf(bars), 2)) - 1)).toBeLessThan(0.06)
  })

  test('VIX stays near what it was asked for: never below 40 at 45', async () => {
    const { bars } = await takeBars({ scenario: 'volatility', seed: 8, bars: 100_000 })
    expect(Math.min(...bars.map(({ volatility }) => volatility))).toBeGreaterThan(40)
  })
})

test('a block is empty until it is filled', () => {
  expect(newBlock().length).toBe(0)
})
