import { expect, test } from 'bun:test'
import { moneyOf, parseAmount } from '#core/order/amount.ts'
import { costMethods, dailyPnl, type PnlFill, type PnlOptions } from '#core/order/pnl.ts'
import { cashEffect } from '#core/order/position.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const start = Date.UTC(2024, 0, 1)
/** An exchange whose day begins at 05:00 UTC. */
const dayOf = (at: number) => new Date(at - 5 * hourMs).toISOString().slice(0, 10)

function fillAt(day: number, text: string, symbol = 'AAPL'): PnlFill {
  const [signed = '', price = ''] = text.split('@')
  return {
    symbol,
    at: start + (day - 1) * dayMs + 15 * hourMs,
    side: signed.startsWith('-') ? 'sell' : 'buy',
    quantity: parseAmount(signed.slice(1)),
    price: parseAmount(price),
    fee: moneyOf('1'),
  }
}

function options(change: Partial<PnlOptions> = {}): PnlOptions {
  return {
    method: 'average',
    days: ['2024-01-02', '2024-01-03', '2024-01-04'],
    startingCash: moneyOf('10000'),
    dayOf,
    markOf: (_, day) => parseAmount(day === '2024-01-03' ? '130' : '100'),
    ...change,
  }
}

const fills = [
  fillAt(1, '+10@100'),
  fillAt(2, '+10@110'),
  fillAt(3, '-5@120'),
  fillAt(4, '-15@100'),
]

test('fills that do not come in order of time are a bug', () => {
  expect(() => dailyPnl([fillAt(3, '+1@1'), fillAt(2, '+1@1')], options())).toThrow('invariant')
  expect(() => dailyPnl([], options({ days: ['2024-01-03', '2024-01-02'] }))).toThrow('invariant')
})

test.each([
  ['average', ['0', '75', '-75']],
  ['fifo', ['0', '100', '-100']],
] as const)(
  '%s: each day has its own realised and fees, and the value at its end',
  (method, realised) => {
    const rows = dailyPnl(fills, options({ method }))
    const unrealised = method === 'average' ? ['-100', '375', '0'] : ['-100', '350', '0']
    const days = ['2024-01-02', '2024-01-03', '2024-01-04']
    const equity = ['9898', '10447', '9996']
    expect(rows).toEqual(
      days.map((day, at) => ({
        day,
        realised: moneyOf(realised[at] ?? ''),
        fees: moneyOf('1'),
        unrealised: moneyOf(unrealised[at] ?? ''),
        equity: moneyOf(equity[at] ?? ''),
        unmarked: [],
      })),
    )
  },
)

test('a missing mark leaves that day without a value, and says of what', () => {
  const both = [fillAt(2, '+1@100'), fillAt(2, '+1@50', 'MSFT'), fillAt(3, '-1@60', 'MSFT')]
  const markOf = (symbol: string) => (symbol === 'AAPL' ? parseAmount('100') : undefined)
  const [first, second] = dailyPnl(both, options({ markOf }))
  expect(first).toMatchObject({ unrealised: undefined, equity: undefined, unmarked: ['MSFT'] })
  expect(second).toMatchObject({ unrealised: 0n, equity: moneyOf('10007'), unmarked: [] })
})

test.each([
  ['04:59:59.999', 5 * hourMs - 1, 0],
  ['05:00', 5 * hourMs, 1],
])('a fill at %s UTC counts for the exchange day', (_, ofDayMs, at) => {
  const fill = { ...fillAt(1, '+1@100'), at: start + 2 * dayMs + ofDayMs }
  const rows = dailyPnl([fill], options())
  expect(rows.map(({ fees }) => fees)).toEqual([0n, 0n, 0n].with(at, moneyOf('1')))
})

test('a fill on a day that is not reported counts for the next that is', () => {
  const rows = dailyPnl([fillAt(3, '+1@100')], options({ days: ['2024-01-02', '2024-01-04'] }))
  expect(rows.map(({ fees }) => fees)).toEqual([0n, moneyOf('1')])
})

test('fills after the last day are left out', () => {
  expect(dailyPnl([fillAt(9, '+1@100')], options()).map(({ equity }) => equity)).toEqual(
    Array.from({ length: 3 }, () => moneyOf('10000')),
  )
})

test('a cancelled trade has no effect', () => {
  const busted = { ...fillAt(2, '+1@100'), quantity: 0n, fee: 0n }
  expect(dailyPnl([busted, ...fills.slice(1)], options())).toEqual(
    dailyPnl(fills.slice(1), options()),
  )
})

test.each([...costMethods])('%s: the rows add up to the change of equity, exactly', (method) => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const { below } = seededRandom(seed)
    const many = Array.from(
      { length: 60 },
      (_, at): PnlFill => ({
        symbol: ['A', 'B', 'C'][below(3)] ?? 'A',
        at: start + at * 8 * hourMs,
        side: below(2) === 0 ? 'buy' : 'sell',
        quantity: BigInt(1 + below(2_000_000_000)),
        price: BigInt(1 + below(2_000_000_000)) * 101n,
        fee: BigInt(below(1_000)),
      }),
    )
    const days = Array.from({ length: 22 }, (_, at) => dayOf(start + at * dayMs))
    const markOf = (symbol: string, day: string) =>
      BigInt(symbol.charCodeAt(0) * Number(day.slice(-2))) * 987_654_321n
    const rows = dailyPnl(many, options({ method, days, markOf }))
    let earned = moneyOf('10000')
    for (const row of rows) {
      earned += row.realised - row.fees
      expect({ seed, equity: row.equity }).toEqual({
        seed,
        equity: earned + (row.unrealised ?? 0n),
      })
    }
    const held = new Map<string, bigint>()
    for (const { symbol, side, quantity } of many) {
      held.set(symbol, (held.get(symbol) ?? 0n) + (side === 'buy' ? quantity : -quantity))
    }
    const cash = many.reduce((sum, fill) => sum + cashEffect(fill), moneyOf('10000'))
    const value = [...held].reduce((sum, [s, q]) => sum + q * markOf(s, days.at(-1) ?? ''), 0n)
    expect({ seed, end: rows.at(-1)?.equity }).toEqual({ seed, end: cash + value })
  }
})
