import { expect, test } from 'bun:test'
import { paperDefaults, reachOf } from '#core/order/venue/paper-market.ts'
import { matchOrder } from '#core/order/venue/paper-match.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { alpaca, bar, barMs, order, outcome, quote, strict } from './match-sample.ts'

const cents = (count: number) => (count / 100).toFixed(2)

/** Prices within a dollar of ten, so that about half of the orders are reached. */
function drawer(seed: number) {
  const random = seededRandom(seed)
  const price = () => 950 + Math.floor(random() * 100)
  return {
    oneOf: <T>(...all: readonly [T, ...T[]]): T => all[Math.floor(random() * all.length)] ?? all[0],
    price,
    limit: () => cents(price()),
    bar() {
      const [a, b, c, d] = [price(), price(), price(), price()]
      const [low, high] = [Math.min(a, b, c, d), Math.max(a, b, c, d)]
      return bar([a, high, low, d].map(cents).concat('1000').join(' '))
    },
    quote() {
      const bid = price()
      return quote(`${cents(bid)} ${cents(bid + Math.floor(random() * 5))}`)
    },
    emptyQuote: () => quote(`0 ${cents(price())} 0 100`),
    random,
  }
}

test.each([
  ['alpaca', alpaca],
  ['strict', strict],
])('no market of %s changes a limit order beyond its reach', (_name, mode) => {
  let [reached, traded] = [0, 0]
  for (let seed = 0; seed < 4_000; seed += 1) {
    const draw = drawer(seed)
    const seen = {
      clockMs: barMs + draw.oneOf(0, 1, 60_000),
      quote: draw.oneOf(undefined, draw.quote(), draw.emptyQuote()),
      bar: draw.oneOf(undefined, draw.bar()),
      isHalted: draw.oneOf(false, false, true),
      barVolumeUsed: 0n,
    }
    const worked = order({
      side: draw.oneOf('buy', 'sell'),
      type: 'limit',
      timeInForce: draw.oneOf('day', 'gtc', 'gtd'),
      limit: draw.limit(),
      activeAtMs: barMs - draw.oneOf(0, 60_000, -120_000),
    })
    const { buy, sell } = reachOf(seen)
    const { limitPrice = 0n, side } = worked
    const isReached =
      side === 'buy'
        ? buy !== undefined && limitPrice >= buy
        : sell !== undefined && limitPrice <= sell
    const match = matchOrder(worked, seen, { ...paperDefaults, ...mode, random: draw.random })
    if (match.trade !== undefined) traded += 1
    if (isReached) reached += 1
    else expect(outcome(match)).toBe('rests')
  }
  // Neither is so by being always so.
  expect(reached).toBeGreaterThan(500)
  expect(traded).toBeGreaterThan(200)
})
