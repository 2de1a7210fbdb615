import { expect, test } from 'bun:test'
import { parseDecimal } from '#core/decimal.ts'
import { measureWallet } from '#core/score/measure-wallet.ts'
import type { Trade } from '#core/score/trade.ts'
import { tradeOf } from '#core/score/trade.ts'
import { bonk, buy, sell, trade, wallet } from './swaps.ts'
import { syntheticWallets } from './synthetic-wallets.ts'

function measure(
  trades: readonly Trade[],
  endDate = '2025-01-10',
  costBasis: 'fifo' | 'average' = 'fifo',
) {
  return measureWallet(wallet, trades, { costBasis, algorithmVersion: 'xorj-1.0.0', endDate })
}

const day = (date: number, hour = 12) =>
  `2025-01-${String(date).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00Z`

// 100 in, worth 110 on the 2nd, 99 on the 3rd, sold for 108.9 on the 4th.
const path = [
  buy({ at: day(1), amount: '10', usd: '100' }),
  sell({ at: day(2), amount: '0.0001', usd: '0.0011' }),
  sell({ at: day(3), amount: '0.0001', usd: '0.00099' }),
  sell({ at: day(4), amount: '9.9998', usd: '108.897822' }),
]

test('a hand-counted wallet has the equity, return, drawdown and ROI that were counted', () => {
  const { equity, metrics, books } = measure(path, '2025-01-04')
  // 9.9999 at 11 and 0.0011 dollars; 9.9998 at 9.9 and 0.00209; all in dollars.
  expect(equity.map(({ equityUsd }) => equityUsd)).toEqual(['100', '110', '99.00011', '108.899912'])
  expect(metrics.returns).toBe(4)
  expect(metrics.maxDrawdown).toBeCloseTo(-0.1, 4)
  expect(metrics.totalReturn).toBeCloseTo(0.089, 3)
  expect(books.capitalUsd).toBe('100')
  expect(Number(metrics.netRoiPercent)).toBeCloseTo(8.9, 1)
})

test('a swap between equal legs is no profit but its fee', () => {
  const { books, metrics } = measure([buy({ at: day(1), amount: '1', usd: '100', fee: '2' })])
  expect(books).toMatchObject({ realisedUsd: '0', unrealisedUsd: '-2' })
  expect(metrics.netRoiPercent).toBe('-1.960784313725490196')
  expect(metrics.winRate).toBeNull()
})

test('a wallet that only loses has its whole loss as drawdown, not none', () => {
  const { metrics } = measure([
    buy({ at: day(1), amount: '1', usd: '100' }),
    sell({ at: day(2), amount: '1', usd: '40' }),
  ])
  expect(metrics.maxDrawdown).toBeCloseTo(-0.6, 12)
})

test('drawdown is against the peak before the trough, not the last one', () => {
  const { metrics } = measure([
    buy({ at: day(1), amount: '1', usd: '100' }),
    sell({ at: day(2), amount: '1', usd: '50' }),
    buy({ at: day(3), amount: '1', usd: '50' }),
    sell({ at: day(4), amount: '1', usd: '500' }),
  ])
  expect(metrics.maxDrawdown).toBeCloseTo(-0.5, 12)
})

test('Sharpe does not depend on the size of the purse', () => {
  const large = path.map((each) => ({
    ...each,
    ...{ amountIn: each.amountIn * 1_000n, amountOut: each.amountOut * 1_000n },
    ...{ usdIn: each.usdIn * 1_000n, usdOut: each.usdOut * 1_000n },
  }))
  expect(measure(large).metrics.sharpe).toBeCloseTo(measure(path).metrics.sharpe ?? Number.NaN, 9)
})

test('days without trades are days: they stay in the returns and lower the Sharpe ratio', () => {
  const short = measure(path, '2025-01-04').metrics
  const long = measure(path, '2025-01-20').metrics
  expect([short.returns, long.returns]).toEqual([4, 20])
  expect(long.sharpe ?? 0).toBeLessThan(short.sharpe ?? 0)
})

test('ROI is on capital, not on turnover: going to and fro does not lower it', () => {
  const once = measure([
    buy({ at: day(1), amount: '1', usd: '100' }),
    sell({ at: day(2), amount: '1', usd: '110' }),
  ])
  const often = measure([
    buy({ at: day(1, 1), amount: '1', usd: '100' }),
    ...[2, 3, 4].flatMap((hour) => [
      sell({ at: day(1, hour), amount: '1', usd: '100' }),
      buy({ at: day(1, hour), amount: '1', usd: '100' }),
    ]),
    sell({ at: day(2), amount: '1', usd: '110' }),
  ])
  expect(once.metrics.netRoiPercent).toBe('10')
  expect(often.metrics.netRoiPercent).toBe('10')
})

test('no losses is null with a reason, never a large number', () => {
  const { metrics } = measure([
    buy({ at: day(1), amount: '1', usd: '100' }),
    sell({ at: day(2), amount: '1', usd: '110' }),
  ])
  expect(metrics).toMatchObject({
    winLossRatio: null,
    profitFactor: null,
    sortino: null,
    calmar: null,
  })
  expect(metrics.reasons).toContainEqual({ metric: 'winLossRatio', code: 'NO_LOSSES' })
  expect(metrics.reasons).toContainEqual({ metric: 'sortino', code: 'NO_DOWNSIDE' })
  expect(metrics.reasons).toContainEqual({ metric: 'calmar', code: 'NO_DRAWDOWN' })
  expect(JSON.stringify(metrics)).not.toMatch(/Infinity|NaN|99999/)
})

test('a sale without position is an inflow: it changes neither profit nor return', () => {
  const airdrop = sell({ at: day(6), token: bonk, amount: '1000', usd: '5000' })
  const without = measure(path)
  const having = measure([...path, airdrop])
  expect(having.books.realisedUsd).toBe(without.books.realisedUsd)
  expect(having.books.unmatchedProceedsUsd).toBe('5100')
  expect(having.metrics.wins).toBe(without.metrics.wins)
  expect(having.equity[5]?.inflowUsd).toBe('5000')
  expect(having.metrics.totalReturn).toBe(without.metrics.totalReturn)
  expect(having.dataQuality).toContain('UNMATCHED_SALES')
})

test('a later price is never used for an earlier day; an older one is carried and flagged', () => {
  const { equity, dataQuality } = measure([
    buy({ at: day(1), amount: '10', usd: '100' }),
    sell({ at: day(5), amount: '1', usd: '90' }),
  ])
  expect(equity.slice(0, 5).map(({ equityUsd }) => equityUsd)).toEqual([
    '100',
    '100',
    '100',
    '100',
    '900',
  ])
  expect(equity.map(({ isPriceCarried }) => isPriceCarried)).toEqual([
    ...[false, true, true, true, false],
    ...[true, true, true, true, true],
  ])
  expect(dataQuality).toContain('PRICES_CARRIED_FORWARD')
})

test('a swap after the end date does not exist', () => {
  const later = sell({ at: '2025-01-11T00:00:00Z', amount: '1', usd: '1' })
  expect(measure([...path, later])).toEqual(measure(path))
})

test('the order in which a source delivers swaps changes nothing', () => {
  expect(measure(path.toReversed())).toEqual(measure(path))
})

test('a fortune lost is a drawdown of everything, and the days after it are not returns', () => {
  const { metrics } = measure([
    buy({ at: day(1), amount: '1', usd: '100' }),
    // Worth less than the last decimal place.
    sell({ at: day(2), amount: '0.999999999999999999', usd: '0.000000000000000001' }),
  ])
  expect(metrics.returns).toBe(2)
  expect(metrics.maxDrawdown).toBe(-1)
})

test('fees of failed swaps count once', () => {
  const failed = trade({ time: day(2), failed: true, feeUsd: '1' })
  const { books, metrics } = measure([buy({ at: day(1), amount: '1', usd: '100' }), failed])
  expect(books).toMatchObject({ separateFeesUsd: '1', capitalUsd: '101' })
  expect(metrics.totalReturn).toBeCloseTo(-1 / 101, 12)
})

test('failed swaps alone are no data', () => {
  const failed = trade({ time: day(2), failed: true, feeUsd: '1' })
  const { status, metrics } = measure([failed])
  expect(status).toBe('no_data')
  expect(metrics.totalReturn).toBeNull()
})

test('trades before the window make its opening, not its profit', () => {
  const { books, openingEquityUsd, equity } = measure(
    [
      buy({ at: '2024-06-01T00:00:00Z', amount: '1', usd: '100' }),
      sell({ at: '2024-06-02T00:00:00Z', amount: '1', usd: '300' }),
      buy({ at: day(1), amount: '1', usd: '300' }),
    ],
    '2025-01-10',
  )
  expect(openingEquityUsd).toBe('300')
  expect(books).toMatchObject({ realisedUsd: '0', capitalUsd: '300' })
  expect(equity).toHaveLength(90)
})

test('realised + unrealised - fees is what equity gained over what came in, exactly', () => {
  for (const costBasis of ['fifo', 'average'] as const) {
    for (const entry of syntheticWallets({ wallets: 20, swapsPerWallet: 120, state: 3 })) {
      const trades = entry.rows.map((row) => tradeOf(entry.wallet, row))
      const { books, equity, openingEquityUsd } = measure(trades, '2025-09-30', costBasis)
      const profit =
        signed(books.realisedUsd) + signed(books.unrealisedUsd) - signed(books.separateFeesUsd)
      const inflow = equity.reduce((sum, { inflowUsd }) => sum + signed(inflowUsd), 0n)
      const closing = signed(equity.at(-1)?.equityUsd ?? '0')
      expect(profit).toBe(closing - signed(openingEquityUsd) - inflow)
    }
  }
})

function signed(text: string): bigint {
  return text.startsWith('-') ? -parseDecimal(text.slice(1)) : parseDecimal(text)
}

test('the method changes when profit is realised, never what a wallet is worth', () => {
  const worth = (costBasis: 'fifo' | 'average') =>
    measure(path, '2025-01-10', costBasis).equity.map(({ equityUsd }) => equityUsd)
  expect(worth('fifo')).toEqual(worth('average'))
})
