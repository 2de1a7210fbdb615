import { describe, expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { PaperMarket, PaperOptions, WorkedOrder } from '#core/order/venue/paper-market.ts'
import type { Match } from '#core/order/venue/paper-match.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import {
  alpaca,
  bar,
  dice,
  enteredMs,
  match,
  order,
  outcome,
  quote,
  strict,
} from './match-sample.ts'

describe('strictly', () => {
  const work = (
    worked: WorkedOrder,
    seen: Partial<PaperMarket>,
    options: Partial<PaperOptions> = {},
  ) => outcome(match(worked, seen, { ...strict, ...options }))

  test('a bar that ended by the order’s entry is not traded with', () => {
    const seen = { bar: bar('10 10 10 10 100000', enteredMs), clockMs: enteredMs }
    expect(work(order(), seen)).toBe('rests')
    // Nor is it the end of an IOC, whose first market is the next bar.
    expect(work(order({ timeInForce: 'ioc' }), seen)).toBe('rests')
    const next = enteredMs + 1
    const whole = { bar: bar('10 10 10 10 100000', next), clockMs: next }
    expect(work(order(), whole)).toBe('100@10.01')
  })

  test('no order takes more of a bar than its part, less what others took', () => {
    const seen = { bar: bar('10 10 10 10 10000') }
    expect(work(order({ leaves: '250' }), seen)).toBe('250@10.01')
    expect(work(order({ leaves: '251' }), seen)).toBe('250@10.01')
    expect(work(order({ leaves: '250' }), { ...seen, barVolumeUsed: parseAmount('100') })).toBe(
      '150@10.01',
    )
    expect(work(order({ leaves: '250' }), { ...seen, barVolumeUsed: parseAmount('250') })).toBe(
      'rests',
    )
    expect(work(order({ leaves: '251', timeInForce: 'ioc' }), seen)).toBe('250@10.01 canceled')
    expect(work(order({ leaves: '251', timeInForce: 'fok' }), seen)).toBe('canceled')
    expect(work(order({ leaves: '2.5' }), { bar: bar('10 10 10 10 39') })).toBe('rests')
    expect(work(order({ leaves: '0.5' }), { bar: bar('10 10 10 10 39') })).toBe('0.5@10.01')
  })

  test.each([
    // A tenth of (q/V)^2 of the price: 0.1 * 0.025^2 * 1000 = 0.0625.
    ['buy', '250', '1000.07'],
    ['sell', '250', '999.93'],
    // 0.1 * 0.01^2 * 1000 = 0.01, no rounding left.
    ['buy', '100', '1000.01'],
    ['sell', '100', '999.99'],
  ] as const)('a %s of %s of 10000 shares pays for what it takes: %s', (side, leaves, price) => {
    const seen = { bar: bar('1000 1000 1000 1000 10000') }
    expect(work(order({ side, leaves }), seen)).toBe(`${leaves}@${price}`)
  })

  test('what others took of the bar moves the price too', () => {
    const seen = { bar: bar('1000 1000 1000 1000 10000'), barVolumeUsed: parseAmount('150') }
    expect(work(order({ leaves: '100' }), seen)).toBe('100@1000.07')
  })

  test.each([
    ['buy', '99', '100 101 98 100', '100@99'],
    ['buy', '99', '98 101 97 100', '100@98.01'],
    ['buy', '97', '100 101 98 100', 'rests'],
    ['buy', '98', '100 101 98 100', '100@98'],
    ['sell', '101', '100 102 98 100', '100@101'],
    ['sell', '101', '103 104 97 100', '100@102.99'],
    ['sell', '103', '100 102 98 100', 'rests'],
    // Impact would pass the limit: an order never trades beyond it.
    ['buy', '100', '100 101 98 100', '100@100'],
  ] as const)(
    'a %s limit of %s fills at the better of limit and open: bar %s, %s',
    (side, limit, prices, expected) => {
      const worked = order({ type: 'limit', side, limit })
      expect(work(worked, { bar: bar(`${prices} 100000`) })).toBe(expected)
    },
  )

  test.each([
    ['buy', '105', '100 104.99 99 100', 'rests'],
    ['buy', '105', '100 105 99 100', '100@105.01 triggered'],
    ['buy', '105', '108 109 107 108', '100@108.01 triggered'],
    ['sell', '95', '100 101 95.01 100', 'rests'],
    ['sell', '95', '100 101 95 100', '100@94.99 triggered'],
    ['sell', '95', '90 91 89 90', '100@89.99 triggered'],
  ] as const)(
    'a %s stop at %s triggers on the first trade through, a gap fills at the open: %s, %s',
    (side, stop, prices, expected) => {
      const worked = order({ type: 'stop', side, stop })
      expect(work(worked, { bar: bar(`${prices} 100000`) })).toBe(expected)
    },
  )

  test('a stop limit that gaps past its limit is triggered and rests until its limit trades', () => {
    const worked = order({ type: 'stop_limit', stop: '105', limit: '106' })
    expect(work(worked, { bar: bar('108 109 105 108 100000') })).toBe('triggered')
    const triggered = { ...worked, isTriggered: true }
    expect(work(triggered, { bar: bar('108 109 107 108 100000') })).toBe('triggered')
    expect(work(triggered, { bar: bar('108 109 105 108 100000') })).toBe('100@106 triggered')
    expect(work(worked, { bar: bar('100 105 99 100 100000') })).toBe('100@105.01 triggered')
  })

  test('a stop that has not traded waits, an IOC too', () => {
    const worked = order({ type: 'stop', stop: '105', timeInForce: 'ioc' })
    expect(work(worked, { bar: bar('100 101 99 100 100000') })).toBe('rests')
  })

  test('a book gives no more than its size', () => {
    expect(work(order(), { quote: quote('9 10 100 40') })).toBe('40@10')
    expect(work(order(), { quote: quote('9 10 100 40'), barVolumeUsed: parseAmount('10') })).toBe(
      '30@10',
    )
    expect(work(order({ timeInForce: 'fok' }), { quote: quote('9 10 100 40') })).toBe('canceled')
  })

  test('a bar that ends with an empty side of the book fills nothing', () => {
    const seen = { bar: bar('10 10 10 10 100000'), quote: quote('9 10 100 0') }
    expect(work(order(), seen)).toBe('rests')
    expect(work(order({ side: 'sell' }), seen)).toBe('100@9.99')
  })

  test('no random number is drawn', () => {
    const { random, drawn } = dice(0)
    match(order(), { bar: bar('10 10 10 10 100000') }, { ...strict, random })
    match(order(), { quote: quote('9 10') }, { ...strict, random })
    expect(drawn()).toBe(0)
  })
})

const types = ['market', 'limit', 'stop', 'stop_limit'] as const
const times = ['day', 'ioc', 'fok'] as const

/** Orders and bars that meet often; prices in cents. */
function meetings(seed: number) {
  const random = seededRandom(seed)
  const below = (end: number) => Math.floor(random() * end)
  const cents = (from: number, range: number) => ((from + below(range)) / 100).toFixed(2)
  return {
    random,
    next() {
      const high = 1_100 + below(200)
      const low = high - 1 - below(300)
      const between = () => low + below(high - low + 1)
      const prices = [between(), high, low, between()].map((price) => (price / 100).toFixed(2))
      const type = types[below(types.length)] ?? 'market'
      const isStop = type === 'stop' || type === 'stop_limit'
      const worked = order({
        side: below(2) === 0 ? 'buy' : 'sell',
        type,
        timeInForce: times[below(times.length)] ?? 'day',
        isTriggered: isStop && below(4) === 0,
        leaves: String(1 + below(400)),
        ...(type === 'limit' || type === 'stop_limit' ? { limit: cents(900, 500) } : {}),
        ...(isStop ? { stop: cents(900, 500) } : {}),
      })
      const volume = below(20_000)
      const used = parseAmount(String(below(100)))
      return { worked, volume, used, bar: bar(`${prices.join(' ')} ${volume}`) }
    },
  }
}

/** Which promise of any trade this one breaks. */
function brokenBy(worked: WorkedOrder, { quantity, price }: NonNullable<Match['trade']>): string[] {
  const { side, limitPrice, timeInForce, leaves } = worked
  const isBeyond = (limit: bigint) => (side === 'buy' ? price > limit : price < limit)
  return [
    ...(quantity <= 0n || quantity > leaves ? ['within the leaves'] : []),
    ...(timeInForce === 'fok' && quantity !== leaves ? ['all of a FOK'] : []),
    ...(price % parseAmount('0.01') === 0n ? [] : ['on the tick']),
    ...(limitPrice !== undefined && isBeyond(limitPrice) ? ['within the limit'] : []),
  ]
}

test.each([strict, alpaca])(
  'no trade is off the tick, beyond its limit or above its leaves: %p',
  (mode) => {
    const { random, next } = meetings(20_261_124)
    let fills = 0
    for (let round = 0; round < 20_000; round += 1) {
      const { worked, used, volume, ...seen } = next()
      const { trade, end } = match(worked, { ...seen, barVolumeUsed: used }, { ...mode, random })
      if (end !== undefined) expect(worked.timeInForce).not.toBe('day')
      if (trade === undefined) continue
      fills += 1
      expect(brokenBy(worked, trade)).toEqual([])
      const taken = (used + trade.quantity) * 10_000n
      if (mode === strict) expect(taken <= parseAmount(String(volume)) * 250n).toBe(true)
    }
    expect(fills).toBeGreaterThan(2_000)
  },
)
