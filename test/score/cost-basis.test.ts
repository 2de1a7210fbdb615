import { expect, test } from 'bun:test'
import { formatDecimal } from '#core/decimal.ts'
import { createLedger } from '#core/score/cost-basis.ts'
import type { Trade } from '#core/score/trade.ts'
import { bonk, buy, jup, sell, sol, trade, usdc } from './swaps.ts'
import { randomNumbers } from './synthetic-wallets.ts'

function book(costBasis: 'fifo' | 'average', trades: readonly Trade[]) {
  const ledger = createLedger(costBasis)
  const bookings = trades.map((each) => ledger.book(each))
  const total = (pick: (booking: (typeof bookings)[number]) => bigint) =>
    formatDecimal(bookings.map(pick).reduce((sum, value) => sum + value, 0n))
  return {
    bookings,
    realised: total((booking) => booking.realised),
    unmatched: total((booking) => booking.unmatchedProceeds),
    separateFees: total((booking) => booking.separateFee),
    closures: bookings.flatMap((booking) => booking.closures.map(formatDecimal)),
    cost: formatDecimal(ledger.cost()),
    held: (mint: string) => formatDecimal(ledger.quantityOf(mint)),
  }
}

const at = '2025-01-01T00:00:00Z'
const ladder = [
  buy({ at, amount: '10', usd: '100' }),
  buy({ at, amount: '10', usd: '200' }),
  sell({ at, amount: '15', usd: '300' }),
]

test('first in, first out closes the oldest purchase first, each lot by itself', () => {
  // 10 at 10 and 5 at 20, sold at 20: 200 - 100 and 100 - 100.
  const books = book('fifo', ladder)
  expect(books.realised).toBe('100')
  expect(books.closures).toEqual(['100', '0'])
})

test('average cost spreads what was paid over all that is held', () => {
  // 15 at 15, sold at 20.
  const books = book('average', ladder)
  expect(books.realised).toBe('75')
  expect(books.closures).toEqual(['75'])
})

test('a fee counts once: in the cost of what was bought, off the proceeds in dollars', () => {
  const books = book('fifo', [
    buy({ at, amount: '1', usd: '100', fee: '1' }),
    sell({ at, amount: '1', usd: '110', fee: '2' }),
  ])
  // 110 - 2 - (100 + 1)
  expect(books.realised).toBe('7')
  expect(books.separateFees).toBe('0')
})

test('proceeds of what was never bought are no profit', () => {
  const books = book('fifo', [sell({ at, amount: '5', usd: '1000' })])
  expect(books).toMatchObject({ realised: '0', unmatched: '1000', closures: [] })
})

test('a sale larger than the position is split: one part realised, the rest unmatched', () => {
  const books = book('fifo', [
    buy({ at, amount: '4', usd: '40' }),
    sell({ at, amount: '10', usd: '200' }),
  ])
  // 4 of 10 for 80, bought for 40; 6 of 10 for 120. USDC of the purchase was never bought: 40.
  expect(books.realised).toBe('40')
  expect(books.unmatched).toBe('160')
  expect(books.held(jup)).toBe('0')
})

test('a failed swap costs its fee and moves nothing', () => {
  const failed = trade({ failed: true, feeUsd: '0.5' })
  const books = book('fifo', [failed])
  expect(books).toMatchObject({ realised: '0', separateFees: '0.5', cost: '0' })
  expect(books.held(jup)).toBe('0')
  expect(books.bookings[0]?.isTrade).toBe(false)
})

test('wrapping SOL is no trade', () => {
  const native = 'So11111111111111111111111111111111111111111'
  const books = book('fifo', [trade({ mintIn: native, mintOut: sol, feeUsd: '0.01' })])
  expect(books.bookings[0]?.isTrade).toBe(false)
  expect(books.held(sol)).toBe('0')
  expect(books.separateFees).toBe('0.01')
})

test('dollars for dollars lose fee and slippage and close no round trip', () => {
  const usdt = 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB'
  const books = book('fifo', [
    buy({ at, amount: '1', usd: '100' }),
    sell({ at, amount: '1', usd: '100' }),
    trade({
      ...{ mintIn: usdc, mintOut: usdt, amountIn: '100', amountOut: '99.9' },
      ...{ usdIn: '100', usdOut: '99.9', feeUsd: '0.05' },
    }),
  ])
  expect(books.realised).toBe('-0.15')
  expect(books.closures).toEqual(['0'])
})

test('a token swapped for another passes its value on', () => {
  const books = book('fifo', [
    buy({ at, amount: '1', usd: '100' }),
    trade({
      ...{ mintIn: jup, mintOut: bonk, amountIn: '1', amountOut: '7' },
      ...{ usdIn: '151', usdOut: '150' },
    }),
    sell({ at, token: bonk, amount: '7', usd: '140' }),
  ])
  expect(books.closures).toEqual(['50', '-10'])
})

test('a position that ends flat has realised the same under every method, whatever the path', () => {
  const random = randomNumbers(11)
  for (let round = 0; round < 200; round += 1) {
    const trades: Trade[] = []
    let held = 0
    for (let step = 0; step < 30; step += 1) {
      const amount = 1 + Math.floor(random() * 1_000_000)
      const usd = (random() * 1_000 + 0.01).toFixed(7)
      if (held > 0 && random() < 0.5) {
        const part = Math.min(held, amount)
        trades.push(sell({ at, amount: `${part}`, usd, fee: '0.003' }))
        held -= part
      } else {
        trades.push(buy({ at, amount: `${amount}`, usd, fee: '0.001' }))
        held += amount
      }
    }
    if (held > 0) trades.push(sell({ at, amount: `${held}`, usd: '777.7777777' }))
    const fifo = book('fifo', trades)
    const average = book('average', trades)
    const tokenOnly = (books: typeof fifo) =>
      books.bookings
        .filter((_, index) => trades[index]?.mintIn === jup)
        .reduce((sum, booking) => sum + booking.realised, 0n)
    expect(tokenOnly(fifo)).toBe(tokenOnly(average))
    expect(fifo.held(jup)).toBe('0')
  }
})
