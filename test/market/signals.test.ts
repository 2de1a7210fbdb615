import { expect, test } from 'bun:test'
import { rollingWindow, seriesOf } from '#core/market/rolling-window.ts'
import { meanReversion, momentum, momentumRules, pairs } from '#core/market/signals.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const unit = 1_000_000_000

function prices(values: readonly number[]) {
  return seriesOf(values.map((value) => Math.round(value * unit)))
}

function randomWalk(seed: number, length: number): readonly number[] {
  const random = seededRandom(seed).random
  const values = [100]
  while (values.length < length) {
    values.push((values.at(-1) ?? 0) * Math.exp((random() - 0.5) * 0.04))
  }
  return values
}

function hold(reason: string) {
  return { signal: 'hold', value: null, figures: null, reasons: [reason] } as const
}

test.each([
  ['momentum', momentum(prices(randomWalk(1, 252))), 'closes=252 needed=253'],
  ['mean reversion', meanReversion(prices(randomWalk(1, 19))), 'closes=19 needed=20'],
  [
    'pairs, own closes',
    pairs(prices(randomWalk(1, 59)), prices(randomWalk(2, 90))),
    'closes=59 needed=60',
  ],
  [
    'pairs, the other’s',
    pairs(prices(randomWalk(1, 90)), prices(randomWalk(2, 59))),
    'closes=59 needed=60',
  ],
])('%s: one close short of enough holds and says so', (_, signal, reason) => {
  expect(signal).toEqual(hold(reason))
})

test.each([[0.1], [100], [123.456789], [654_321.123456789]])(
  'closes that stay at %p give no score, only a reason',
  (price) => {
    const flat = prices(Array.from({ length: 60 }, () => price))
    expect(meanReversion(flat)).toEqual(hold('the closes do not vary'))
    const moving = prices(randomWalk(3, 60))
    expect(pairs(moving, flat)).toEqual(
      hold('a close is not positive, or the other closes do not vary'),
    )
    expect(pairs(flat, moving)).toEqual(hold('the spread does not vary'))
  },
)

test('two series that move as one have a spread of nothing, not of rounding', () => {
  const walk = randomWalk(4, 60)
  expect(pairs(seriesOf(walk.map((x) => x * 3)), seriesOf(walk))).toEqual(
    hold('the spread does not vary'),
  )
})

test('a close of zero gives no signal', () => {
  const withZero = [...randomWalk(5, 59), 0]
  expect(pairs(prices(withZero), prices(randomWalk(6, 60))).value).toBeNull()
  expect(pairs(prices(randomWalk(6, 60)), prices(withZero)).value).toBeNull()
  const rules = { lookback: 59, skip: 0, threshold: 0 }
  expect(momentum(prices(withZero), rules)).toEqual(hold('a close is not positive'))
})

test('momentum is the return from 252 closes ago to 21 ago, whatever the last month did', () => {
  const closes = Array.from({ length: 253 }, () => 1)
  closes[0] = 100
  closes[252 - 21] = 125
  const { lookback, skip } = momentumRules
  expect([lookback, skip]).toEqual([252, 21])
  expect(momentum(prices(closes))).toEqual({
    signal: 'buy',
    value: 0.25,
    figures: { from: 100 * unit, to: 125 * unit },
    reasons: [],
  })
})

test.each([
  [100, 'hold'],
  [100.000000001, 'buy'],
  [99.999999999, 'sell'],
])('momentum from 100 to %p says %s', (to, signal) => {
  const rules = { lookback: 1, skip: 0, threshold: 0 }
  expect<string>(momentum(prices([100, to]), rules).signal).toBe(signal)
})

test('a momentum of the threshold itself holds', () => {
  const rules = { lookback: 1, skip: 0, threshold: 0.25 }
  const at = (to: number) => momentum(prices([100, to]), rules).signal
  expect([125, 125.000001, 75, 74.999999].map(at)).toEqual(['hold', 'buy', 'hold', 'sell'])
})

test('mean reversion is the textbook’s score: distance to the mean in sample deviations', () => {
  // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32, over 7.
  const signal = meanReversion(prices([2, 4, 4, 4, 5, 5, 7, 9]), { count: 8, entry: 2 })
  const deviation = Math.sqrt(32 / 7)
  expect(signal.value).toBeCloseTo(4 / deviation, 12)
  expect(signal.figures?.mean).toBe(5 * unit)
  expect(signal.figures?.deviation).toBeCloseTo(deviation * unit, 3)
  expect(signal.signal).toBe('hold')
})

test('far below the mean is a buy, far above a sale, and exactly at the entry too', () => {
  const rest = [99, 101, 99, 101, 99, 101, 99, 101, 99]
  const score = (last: number, entry: number) =>
    meanReversion(prices([...rest, last]), { count: 10, entry })
  expect(score(80, 2).signal).toBe('buy')
  expect(score(120, 2).signal).toBe('sell')
  expect(score(100, 2).signal).toBe('hold')
  const high = score(104, 2).value ?? 0
  expect(score(104, high).signal).toBe('sell')
  expect(score(104, high * 1.000001).signal).toBe('hold')
  const low = score(96, 2).value ?? 0
  expect(score(96, -low).signal).toBe('buy')
})

test('only the newest closes of the count matter', () => {
  const walk = randomWalk(7, 20)
  expect(meanReversion(prices([1, 1000, ...walk]))).toEqual(meanReversion(prices(walk)))
})

test('pairs find the hedge ratio that made the series, and the newest residual in deviations', () => {
  const random = seededRandom(8).random
  const other = randomWalk(9, 60)
  const noise = other.map(() => (random() - 0.5) * 0.001)
  const own = other.map((price, at) => Math.exp(0.3 + 1.5 * Math.log(price) + (noise[at] ?? 0)))
  const { figures, value } = pairs(seriesOf(own), seriesOf(other))
  expect(figures?.hedgeRatio).toBeCloseTo(1.5, 2)
  expect(figures?.intercept).toBeCloseTo(0.3, 1)
  expect(figures?.spread).toBeCloseTo(noise[59] ?? 0, 3)
  expect(value).toBeCloseTo((figures?.spread ?? 0) / (figures?.deviation ?? 1), 12)
})

test('pairs agree with least squares solved by its normal equations, ddof 2', () => {
  const x = randomWalk(10, 60).map(Math.log)
  const y = randomWalk(11, 60).map(Math.log)
  const sum = (f: (at: number) => number) => x.reduce((total, _, at) => total + f(at), 0)
  const at = (values: readonly number[], i: number) => values[i] ?? 0
  const [sx, sy] = [sum((i) => at(x, i)), sum((i) => at(y, i))]
  const [sxx, sxy] = [sum((i) => at(x, i) ** 2), sum((i) => at(x, i) * at(y, i))]
  const slope = (60 * sxy - sx * sy) / (60 * sxx - sx * sx)
  const intercept = (sy - slope * sx) / 60
  const residual = (i: number) => at(y, i) - intercept - slope * at(x, i)
  const deviation = Math.sqrt(sum((i) => residual(i) ** 2) / 58)
  const signal = pairs(seriesOf(randomWalk(11, 60)), seriesOf(randomWalk(10, 60)))
  expect(signal.figures?.hedgeRatio).toBeCloseTo(slope, 8)
  expect(signal.figures?.deviation).toBeCloseTo(deviation, 10)
  expect(signal.value).toBeCloseTo(residual(59) / deviation, 6)
})

test('pairs buy what is cheap against the other and sell what is dear', () => {
  const other = randomWalk(12, 60)
  const random = seededRandom(13).random
  const own = (last: number) =>
    other.map((price, at) => 2 * price * (at === 59 ? last : 1 + (random() - 0.5) * 0.002))
  expect(pairs(seriesOf(own(0.97)), seriesOf(other)).signal).toBe('buy')
  expect(pairs(seriesOf(own(1.03)), seriesOf(other)).signal).toBe('sell')
  expect(pairs(seriesOf(own(1)), seriesOf(other)).signal).toBe('hold')
})

test('the stream says at every close what the array of all closes says', () => {
  const own = randomWalk(14, 400)
  const other = randomWalk(15, 400)
  const [ownWindow, otherWindow] = [rollingWindow(253), rollingWindow(60)]
  for (let length = 1; length <= 400; length += 1) {
    ownWindow.push(own[length - 1] ?? 0)
    otherWindow.push(other[length - 1] ?? 0)
    const [ownAll, otherAll] = [seriesOf(own.slice(0, length)), seriesOf(other.slice(0, length))]
    const streamed = [momentum(ownWindow), meanReversion(ownWindow), pairs(ownWindow, otherWindow)]
    const whole = [momentum(ownAll), meanReversion(ownAll), pairs(ownAll, otherAll)]
    const comparable = (signals: typeof whole) =>
      signals.map(({ signal, value, figures }) => ({ signal, value, figures }))
    expect(comparable(streamed)).toEqual(comparable(whole))
  }
})

test.each([[0], [-1], [1.5], [Number.NaN]])('a window of %p values is a bug', (capacity) => {
  expect(() => rollingWindow(capacity)).toThrow('at least one value')
})

test('a window holds the newest values and refuses to be read beyond them', () => {
  const window = rollingWindow(3)
  expect(() => window.ago(0)).toThrow('within its size')
  for (const value of [1, 2, 3, 4, 5]) window.push(value)
  expect([window.ago(0), window.ago(1), window.ago(2)]).toEqual([5, 4, 3])
  expect(window.size).toBe(3)
  expect(() => window.ago(3)).toThrow('within its size')
  expect(() => window.ago(-1)).toThrow('within its size')
})
