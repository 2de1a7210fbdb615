import { describe, expect, test } from 'bun:test'
import type { Bar, Quote } from '#core/market/bar.ts'
import { formatAmount, parseAmount } from '#core/order/amount.ts'
import type { PaperMarket, PaperOptions, WorkedOrder } from '#core/order/venue/paper-market.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { type Match, matchOrder } from '#core/order/venue/paper-match.ts'
import { feeOf } from '#core/order/venue/paper-price.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'

const enteredMs = 1_000_000
const barMs = enteredMs + 60_000

function order(
  terms: Partial<Record<'limit' | 'stop' | 'leaves', string>> & Partial<WorkedOrder> = {},
): WorkedOrder {
  const { limit, stop, leaves = '100', ...rest } = terms
  return {
    side: 'buy',
    type: 'market',
    timeInForce: 'day',
    isTriggered: false,
    activeAtMs: enteredMs,
    limitPrice: limit === undefined ? undefined : parseAmount(limit),
    stopPrice: stop === undefined ? undefined : parseAmount(stop),
    ...rest,
    leaves: parseAmount(leaves),
  }
}

const nanos = (price: string) => Number(parseAmount(price))

/** `open high low close volume` */
function bar(text: string, time = barMs): Bar {
  const [open = '0', high = '0', low = '0', close = '0', volume = '0'] = text.split(' ')
  return {
    time,
    open: nanos(open),
    high: nanos(high),
    low: nanos(low),
    close: nanos(close),
    volume: Number(volume),
  }
}

/** `bid ask` or `bid ask bidSize askSize` */
function quote(text: string, time = barMs): Quote {
  const [bid = '0', ask = '0', bidSize = '100', askSize = '100'] = text.split(' ')
  return {
    time,
    bid: nanos(bid),
    ask: nanos(ask),
    bidSize: Number(bidSize),
    askSize: Number(askSize),
  }
}

function market(seen: Partial<PaperMarket>): PaperMarket {
  return {
    clockMs: barMs,
    quote: undefined,
    bar: undefined,
    isHalted: false,
    barVolumeUsed: 0n,
    ...seen,
  }
}

/** A generator that repeats what it is given, and counts. */
function dice(...numbers: number[]) {
  let drawn = 0
  return {
    random: () => numbers[drawn++ % numbers.length] ?? 0.5,
    drawn: () => drawn,
  }
}

function match(
  worked: WorkedOrder,
  seen: Partial<PaperMarket>,
  options: Partial<PaperOptions> & { random?: () => number } = {},
): Match {
  const { random = () => 0.5 } = options
  return matchOrder(worked, market(seen), { ...paperDefaults, ...options, random })
}

/** `100@10.5`, `triggered`, `canceled` or `rests`. */
function outcome({ trade, isTriggered, end }: Match): string {
  const parts = [
    ...(trade === undefined
      ? []
      : [`${formatAmount(trade.quantity)}@${formatAmount(trade.price)}`]),
    ...(isTriggered ? ['triggered'] : []),
    ...(end === undefined ? [] : [end]),
  ]
  return parts.length === 0 ? 'rests' : parts.join(' ')
}

const strict = { mode: 'strict' } as const
const alpaca = { mode: 'alpaca' } as const

describe.each([strict, alpaca])('in both modes: %p', (mode) => {
  test.each([
    ['a halt', { isHalted: true, bar: bar('10 10 10 10 100000'), quote: quote('10 10') }],
    ['a bar without volume', { bar: bar('10 10 10 10 0') }],
    ['an empty side of the book', { quote: quote('9 10 100 0') }],
    ['a book without an offer', { quote: quote('9 0') }],
  ] as const)('%s fills nothing: DAY rests, IOC and FOK are cancelled', (_name, seen) => {
    expect(outcome(match(order(), seen, mode))).toBe('rests')
    expect(outcome(match(order({ timeInForce: 'ioc' }), seen, mode))).toBe('canceled')
    expect(outcome(match(order({ timeInForce: 'fok' }), seen, mode))).toBe('canceled')
  })

  test('data older than they may be are no market, and just as old as they may be are one', () => {
    const seen = { quote: quote('9.99 10'), bar: bar('10 10 10 10 100000') }
    const late = { ...seen, clockMs: barMs + paperDefaults.dataAgeMaxMs + 1 }
    expect(outcome(match(order(), late, mode))).toBe('rests')
    const onTime = { ...seen, clockMs: barMs + paperDefaults.dataAgeMaxMs }
    expect(match(order(), onTime, mode).trade?.quantity).toBe(parseAmount('100'))
  })

  test('a crossed book is no market', () => {
    expect(outcome(match(order(), { quote: quote('10.01 10') }, mode))).toBe('rests')
  })

  test('an order on its way to the venue meets nothing, not even an IOC its end', () => {
    const worked = order({ timeInForce: 'ioc', activeAtMs: barMs + 1 })
    expect(outcome(match(worked, { quote: quote('10 10') }, mode))).toBe('rests')
  })

  test.each([
    ['buy', '10.00', 'rests'],
    ['buy', '10.01', '100@10.01'],
    ['buy', '10.02', '100@10.01'],
    ['sell', '10.01', 'rests'],
    ['sell', '10.00', '100@10'],
    ['sell', '9.99', '100@10'],
  ] as const)('a %s limit of %s at 10.00/10.01: %s', (side, limit, expected) => {
    const worked = order({ type: 'limit', side, limit })
    expect(outcome(match(worked, { quote: quote('10.00 10.01') }, mode))).toBe(expected)
  })

  test.each([
    ['buy', '10.001', '100@10.01'],
    ['sell', '10.009', '100@10'],
    ['buy', '0.99991', '100@1'],
    ['buy', '0.12341', '100@0.1235'],
    ['sell', '0.12349', '100@0.1234'],
    ['sell', '0.00001', '100@0.0001'],
  ] as const)('a %s at %s trades on the tick, against the order: %s', (side, price, expected) => {
    const seen = { quote: quote(`${price} ${price}`) }
    expect(outcome(match(order({ side }), seen, mode))).toBe(expected)
  })

  test.each([
    ['buy', 'stop', '10.5', '10.49 10.60', 'rests'],
    ['buy', 'stop', '10.5', '10.50 10.60', '100@10.6 triggered'],
    ['sell', 'stop', '10.5', '10.40 10.51', 'rests'],
    ['sell', 'stop', '10.5', '10.40 10.50', '100@10.4 triggered'],
    ['buy', 'stop_limit', '10.5', '10.50 10.60', 'triggered'],
  ] as const)('a %s %s at %s in the book %s: %s', (side, type, stop, book, expected) => {
    const limit = type === 'stop_limit' ? { limit: '10.55' } : {}
    expect(
      outcome(match(order({ side, type, stop, ...limit }), { quote: quote(book) }, mode)),
    ).toBe(expected)
  })

  test('a stop without a price never triggers', () => {
    const worked = order({ type: 'trailing_stop' })
    expect(
      outcome(match(worked, { quote: quote('10 10'), bar: bar('10 10 10 10 9999') }, mode)),
    ).toBe('rests')
  })
})

describe('as Alpaca simulates it', () => {
  test('the quantity is not held against the size shown', () => {
    expect(outcome(match(order({ leaves: '100000' }), { quote: quote('9 10 1 1') }))).toBe(
      '100000@10',
    )
  })

  test('without a book the last close is the price, and with one it is not', () => {
    const close = bar('9 12 8 10.5 1000')
    expect(outcome(match(order(), { bar: close }))).toBe('100@10.5')
    expect(outcome(match(order(), { bar: close, quote: quote('10 10.01') }))).toBe('100@10.01')
    // A bar that ended after the book was seen is newer than it.
    expect(outcome(match(order(), { bar: close, quote: quote('10 10.01', barMs - 1) }))).toBe(
      '100@10.5',
    )
  })

  test('a limit that traded within the bar but is not marketable now rests', () => {
    const worked = order({ type: 'limit', limit: '9' })
    expect(outcome(match(worked, { bar: bar('10 12 8 10.5 1000') }))).toBe('rests')
  })

  test('a stop triggers on what traded since it entered, not on what traded before', () => {
    const worked = order({ type: 'stop', stop: '11' })
    expect(outcome(match(worked, { bar: bar('10 12 8 10.5 1000') }))).toBe('100@10.5 triggered')
    const before = { bar: bar('10 12 8 10.5 1000', enteredMs) }
    expect(outcome(match(worked, { ...before, clockMs: enteredMs }))).toBe('rests')
  })

  test.each([
    ['a draw of 0.1', dice(0.1), '100@10'],
    ['a draw below it and 0', dice(0.0999, 0), '1@10'],
    ['a draw below it and almost 1', dice(0.0999, 0.9999999), '99@10'],
  ] as const)('%s fills %s', (_name, { random }, expected) => {
    expect(outcome(match(order(), { quote: quote('9 10') }, { random }))).toBe(expected)
  })

  test('a partial fill of IOC cancels the rest; FOK and a single share are never partial', () => {
    const seen = { quote: quote('9 10') }
    const { random } = dice(0)
    expect(outcome(match(order({ timeInForce: 'ioc' }), seen, { random }))).toBe('1@10 canceled')
    expect(outcome(match(order({ timeInForce: 'fok' }), seen, { random }))).toBe('100@10')
    expect(outcome(match(order({ leaves: '1.9' }), seen, { random }))).toBe('1.9@10')
  })

  test('one fill in ten is partial', () => {
    const random = seededRandom(3)
    const fills = Array.from({ length: 10_000 }, () =>
      match(order(), { quote: quote('9 10') }, { random }),
    )
    const partial = fills.filter(({ trade }) => trade?.quantity !== parseAmount('100'))
    // Five standard deviations are 150.
    expect(Math.abs(partial.length - 1_000)).toBeLessThan(150)
  })
})

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
    expect(work(order(), { bar: bar('10 10 10 10 100000', enteredMs + 1) })).toBe('100@10.01')
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

test('no trade is off the tick, beyond the limit, above the leaves or outside what the bar gives', () => {
  const random = seededRandom(20_261_124)
  const below = (end: number) => Math.floor(random() * end)
  const cents = (from: number, range: number) => ((from + below(range)) / 100).toFixed(2)
  let fills = 0
  for (let round = 0; round < 20_000; round += 1) {
    const high = 1_100 + below(200)
    const low = high - 1 - below(300)
    const open = low + below(high - low + 1)
    const close = low + below(high - low + 1)
    const text = [open, high, low, close].map((price) => (price / 100).toFixed(2)).join(' ')
    const volume = below(20_000)
    const side = below(2) === 0 ? 'buy' : 'sell'
    const type = (['market', 'limit', 'stop', 'stop_limit'] as const)[below(4)] ?? 'market'
    const worked = order({
      side,
      type,
      timeInForce: (['day', 'ioc', 'fok'] as const)[below(3)] ?? 'day',
      isTriggered: below(4) === 0 && type !== 'market' && type !== 'limit',
      leaves: String(1 + below(400)),
      ...(type === 'limit' || type === 'stop_limit' ? { limit: cents(900, 500) } : {}),
      ...(type === 'stop' || type === 'stop_limit' ? { stop: cents(900, 500) } : {}),
    })
    const used = parseAmount(String(below(100)))
    const seen = { bar: bar(`${text} ${volume}`), barVolumeUsed: used }
    for (const mode of [strict, alpaca]) {
      const { trade, end } = match(worked, seen, { ...mode, random })
      if (end !== undefined) expect(worked.timeInForce).not.toBe('day')
      if (trade === undefined) continue
      fills += 1
      expect(trade.quantity > 0n && trade.quantity <= worked.leaves).toBe(true)
      if (worked.timeInForce === 'fok') expect(trade.quantity).toBe(worked.leaves)
      expect(trade.price % parseAmount('0.01')).toBe(0n)
      const { limitPrice } = worked
      if (limitPrice !== undefined) {
        expect(side === 'buy' ? trade.price <= limitPrice : trade.price >= limitPrice).toBe(true)
      }
      if (mode.mode === 'strict') {
        expect((used + trade.quantity) * 10_000n <= parseAmount(String(volume)) * 250n).toBe(true)
      }
    }
  }
  expect(fills).toBeGreaterThan(5_000)
})

test('a fee is rounded up to the smallest unit of money', () => {
  const trade = { quantity: parseAmount('3'), price: parseAmount('10.01') }
  const options = { ...paperDefaults, feePerShare: parseAmount('0.005'), feeBasisPoints: 1 }
  // 3 * 0.005 + 30.03 / 10,000
  expect(feeOf(trade, options)).toBe(18_003_000_000_000_000n)
  const dust = { quantity: 1n, price: 1n }
  expect(feeOf(dust, { ...paperDefaults, feeBasisPoints: 1 })).toBe(1n)
  expect(feeOf(trade, paperDefaults)).toBe(0n)
})
