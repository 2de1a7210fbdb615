import { describe, expect, test } from 'bun:test'
import { medianSpread } from '#core/market/quote-spreads.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { marketFigures } from '#core/replay/market-figures.ts'
import { recoveryMeter } from '#core/replay/recovery.ts'
import { seriesRecorder } from '#core/replay/series-recorder.ts'
import { drawdownOf } from '#core/score/drawdown.ts'

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

describe('recovery is from the last peak to its first regain', () => {
  test.each([
    [
      'nothing lost is no time',
      [100, 100, 101],
      { maxDrawdown: 0, recoverySamples: 0, deepestSamples: 0 },
    ],
    [
      'a plateau is no time under water',
      [100, 100, 90, 100],
      { recoverySamples: 2, deepestSamples: 2 },
    ],
    [
      'what is not regained is open, not 0',
      [100, 90, 95],
      { recoverySamples: undefined, deepestSamples: undefined, underwaterSinceMs: 0 },
    ],
    [
      'an open loss leaves the longest regained one',
      [100, 99, 100, 90],
      { recoverySamples: 2, deepestSamples: undefined, underwaterSinceMs: 2 },
    ],
    [
      'the deepest has a time of its own',
      [100, 99, 99, 99, 100, 80, 100],
      { recoverySamples: 4, deepestSamples: 2 },
    ],
    ['measured from the running peak', [100, 200, 150], { maxDrawdown: 0.25 }],
  ] as const)('%s', (_, values, expected) => {
    const meter = recoveryMeter()
    for (const [at, value] of values.entries()) meter.add(at, value)
    expect(meter.finish()).toMatchObject(expected)
  })

  test.each(seeds)('seed %i: as the whole series says', (seed) => {
    const random = seededRandom(seed)
    let value = 100
    const values = Array.from({ length: 300 }, () => {
      value = Math.max(1, Math.round(value * (0.95 + 0.1 * random())))
      return value
    })
    const meter = recoveryMeter()
    for (const [at, equity] of values.entries()) meter.add(at, equity)
    const found = meter.finish()
    const whole = drawdownOf(values)
    expect(found.maxDrawdown).toBeCloseTo(-(whole?.depth ?? 0), 12)
    expect(found.recoverySamples).toBe(whole?.recoveryPeriodsMax)
    expect(found.underwaterSinceMs).toBe(whole?.underwaterFrom)
  })
})

test.each([1, 719, 720, 721, 5_000, 200_001])(
  '%i samples keep every extreme, the first and the last time',
  (count) => {
    const random = seededRandom(count)
    const recorder = seriesRecorder()
    const all = { low: Number.POSITIVE_INFINITY, high: 0, loss: 0, exposure: 0, last: 0 }
    for (let at = 0; at < count; at += 1) {
      const equity = 1_000 * (0.5 + random())
      const sample = {
        equity,
        price: equity / 10,
        feed: equity / 20,
        loss: random(),
        exposure: random(),
      }
      recorder.add(at, sample)
      all.low = Math.min(all.low, equity)
      all.high = Math.max(all.high, equity)
      all.loss = Math.max(all.loss, sample.loss)
      all.exposure = Math.max(all.exposure, sample.exposure)
      all.last = equity
    }
    const stretches = recorder.stretches()
    expect(stretches.length).toBeLessThanOrEqual(720)
    expect(Math.min(...stretches.map(({ equityMin }) => equityMin))).toBe(all.low)
    expect(Math.max(...stretches.map(({ equityMax }) => equityMax))).toBe(all.high)
    expect(Math.max(...stretches.map(({ drawdown }) => drawdown))).toBe(all.loss)
    expect(Math.max(...stretches.map(({ exposure }) => exposure))).toBe(all.exposure)
    expect(stretches.at(-1)).toMatchObject({ equityLast: all.last, toMs: count - 1 })
    expect(stretches[0]?.fromMs).toBe(0)
    for (const [index, stretch] of stretches.entries()) {
      if (index > 0) expect(stretch.fromMs).toBe((stretches[index - 1]?.toMs ?? 0) + 1)
    }
  },
)

test.each(seeds)(
  'seed %i: the median spread is that of the liquidity rule, over the last hundred',
  (seed) => {
    const random = seededRandom(seed)
    const figures = marketFigures()
    const spreads = Array.from({ length: 1 + Math.floor(random() * 250) }, () =>
      Math.floor(random() * 1e9),
    )
    for (const spread of spreads) figures.add(1_000, spread)
    expect(figures.medianSpread()).toBe(BigInt(medianSpread(spreads.slice(-100)) ?? -1))
  },
)
