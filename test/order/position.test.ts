import { expect, test } from 'bun:test'
import { moneyOf, parseAmount } from '#core/order/amount.ts'
import { applyFillToLots, flatLots, openLots } from '#core/order/lots.ts'
import {
  applyFill,
  averagePriceText,
  cashEffect,
  type Fill,
  flat,
  type Position,
  unrealised,
} from '#core/order/position.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

/** `+10@100` buys, `-5@120` sells; no fee. */
function fillOf(text: string): Fill {
  const [signed = '', price = ''] = text.split('@')
  const side = signed.startsWith('-') ? 'sell' : 'buy'
  return { side, quantity: parseAmount(signed.slice(1)), price: parseAmount(price), fee: 0n }
}

const byAverage = (fills: readonly Fill[]) => fills.reduce(applyFill, flat)
const byLots = (fills: readonly Fill[]) => fills.reduce(applyFillToLots, flatLots)
const fillsOf = (text: string) => text.split(' ').map(fillOf)
const money = ({ quantity, cost, realised }: Position) => ({ quantity, cost, realised })

test.each([
  ['+10@100', 10, '1000', '0', '0'],
  ['+10@100 +10@110', 20, '2100', '0', '0'],
  ['+10@100 +10@110 -5@120', 15, '1575', '75', '100'],
  ['+10@100 +10@110 -15@120', 5, '525', '225', '250'],
  ['+10@100 -10@90', 0, '0', '-100', '-100'],
  ['+10@100 -15@90', -5, '-450', '-100', '-100'],
  ['-10@100 -10@90 +5@80', -15, '-1425', '75', '100'],
  ['-10@100 +12@110', 2, '220', '-100', '-100'],
])('%s', (text, quantity, averageCost, averageRealised, fifoRealised) => {
  const average = byAverage(fillsOf(text))
  expect(money(average)).toEqual({
    quantity: BigInt(quantity) * 10n ** 9n,
    cost: moneyOf(averageCost),
    realised: moneyOf(averageRealised),
  })
  expect(byLots(fillsOf(text)).realised).toBe(moneyOf(fifoRealised))
})

test('first in is first out, also of lots that were opened after a close', () => {
  const position = byLots(fillsOf('+3@1 +3@2 -4@9 +3@3 -3@9 +1@4'))
  const lots = openLots(position).map(({ quantity, price }) => [quantity, price])
  expect(lots).toEqual([
    [parseAmount('2'), parseAmount('3')],
    [parseAmount('1'), parseAmount('4')],
  ])
  expect(position.cost).toBe(moneyOf('10'))
})

test('a long queue of lots is closed without copying it for each', () => {
  const count = 50_000
  let position = flatLots
  for (let at = 0; at < count; at += 1) position = applyFillToLots(position, fillOf('+1@2'))
  for (let at = 0; at < count; at += 1) position = applyFillToLots(position, fillOf('-1@3'))
  expect(position).toMatchObject({ quantity: 0n, cost: 0n, realised: moneyOf(String(count)) })
  expect(openLots(position)).toEqual([])
})

test.each([
  [1n, 2n, '0'],
  [3n, 2n, '0.000000002'],
  [5n, 2n, '0.000000002'],
  [2n, 3n, '0.000000001'],
  [-3n, -2n, '0.000000002'],
])('an average price of %p / %p billionths is shown half-even as %s', (cost, quantity, text) => {
  expect(averagePriceText({ cost, quantity })).toBe(text)
})

test('a flat position has no average price', () => {
  expect(averagePriceText(flat)).toBeUndefined()
})

test.each([
  [1n, 0n],
  [3n, 2n],
  [-1n, 0n],
  [-3n, -2n],
])('half of a cost of %p is removed half-even: %p', (cost, removed) => {
  const position: Position = { quantity: cost > 0n ? 2n : -2n, cost, realised: 0n, fees: 0n }
  const side = cost > 0n ? 'sell' : 'buy'
  const after = applyFill(position, { side, quantity: 1n, price: 0n, fee: 0n })
  expect(after).toMatchObject({ cost: cost - removed, realised: -removed })
})

test('a fee leaves cash and counts as a fee, not in cost or realised', () => {
  const fill = { ...fillOf('+10@100'), fee: 3n }
  expect(cashEffect(fill)).toBe(-moneyOf('1000') - 3n)
  expect(cashEffect({ ...fill, side: 'sell' })).toBe(moneyOf('1000') - 3n)
  expect(byAverage([fill])).toMatchObject({ cost: moneyOf('1000'), realised: 0n, fees: 3n })
})

/** Awkward on purpose: prices and quantities to the last digit, thirds, and through zero. */
function randomFill({ below }: ReturnType<typeof seededRandom>): Fill {
  return {
    side: below(2) === 0 ? 'buy' : 'sell',
    quantity: BigInt(1 + below(below(3) === 0 ? 10 : 3_000_000_000)),
    price: BigInt(1 + below(2_000_000_000)) * 101n,
    fee: BigInt(below(1_000)),
  }
}

const books = [
  ['average', (fills: readonly Fill[]): Position => byAverage(fills)],
  ['fifo', (fills: readonly Fill[]): Position => byLots(fills)],
] as const

test.each(books)(
  '%s: realised + unrealised - fees = change of cash + market value, exactly, after every fill',
  (_, positionOf) => {
    let crossings = 0
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed)
      const fills: Fill[] = []
      let cash = 0n
      let held = 0n
      for (let count = 0; count < 40; count += 1) {
        const fill = randomFill(random)
        fills.push(fill)
        cash += cashEffect(fill)
        const position = positionOf(fills)
        if (held * position.quantity < 0n) crossings += 1
        held += fill.side === 'buy' ? fill.quantity : -fill.quantity
        const mark = BigInt(random.below(2_000_000_000)) * 97n
        const total = position.realised + unrealised(position, mark) - position.fees
        expect({ seed, count, total }).toEqual({ seed, count, total: cash + held * mark })
        expect(position.quantity).toBe(held)
        // No cost without a position, and none of the other sign.
        expect(held === 0n ? position.cost === 0n : held * position.cost >= 0n).toBe(true)
      }
    }
    expect(crossings).toBeGreaterThan(100)
  },
)

test('once flat, both methods have realised the same: the change of cash before fees', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed)
    const fills = Array.from({ length: 1 + random.below(30) }, () => randomFill(random))
    const { quantity } = byAverage(fills)
    const side = quantity > 0n ? 'sell' : 'buy'
    const closing = { side, quantity: quantity < 0n ? -quantity : quantity } as const
    fills.push({ ...closing, price: 123_456_789n, fee: 0n })
    const average = byAverage(fills)
    const fifo = byLots(fills)
    const cash = fills.reduce((sum, fill) => sum + cashEffect(fill) + fill.fee, 0n)
    expect({ seed, ...money(average) }).toEqual({ seed, quantity: 0n, cost: 0n, realised: cash })
    expect({ seed, ...money(fifo) }).toEqual({ seed, quantity: 0n, cost: 0n, realised: cash })
  }
})

test('the lots that are open add up to the position and its cost', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seededRandom(seed)
    const position = byLots(Array.from({ length: 60 }, () => randomFill(random)))
    const lots = openLots(position)
    expect({
      seed,
      quantity: lots.reduce((sum, { quantity }) => sum + quantity, 0n),
      cost: lots.reduce((sum, { quantity, price }) => sum + quantity * price, 0n),
    }).toEqual({ seed, quantity: position.quantity, cost: position.cost })
  }
})
