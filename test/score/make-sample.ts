import { type TradeRow, tradeColumns } from '#core/score/trade.ts'
import { randomNumbers, sol, syntheticWallets, usdc } from './synthetic-wallets.ts'

/**
 * Makes core/score/sample-trades.csv: synthetic wallets, enough of them eligible to score against
 * each other, and one for each reason why a wallet is not.
 *
 *   bun test/score/make-sample.ts
 */
const usdt = 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB'
const eligible = 21
const tradesMin = 50
/** The generator's first state; another one makes other wallets. */
const state = 20_250_930
const dayMs = 86_400_000
const endMs = Date.UTC(2025, 8, 30, 18)

export function sampleCsv(): string {
  const rows = [...wallets()].flat()
  const lines = rows.map((row) =>
    [...fieldsOf(row), row.failed === undefined ? '' : `${row.failed}`].join(','),
  )
  return `${[tradeColumns.join(','), ...lines].join('\n')}\n`
}

function fieldsOf(row: TradeRow): readonly (string | number)[] {
  const { wallet, signature, time, mintIn, mintOut, amountIn, amountOut } = row
  return [
    wallet,
    signature,
    time,
    mintIn,
    mintOut,
    amountIn,
    amountOut,
    row.usdIn,
    row.usdOut,
    row.feeUsd,
  ]
}

function* wallets(): Generator<readonly TradeRow[]> {
  yield* rowsOf(eligible, tradesMin, { days: 91 })
  // One day short of the history, far too few swaps, and nothing in the window.
  yield* rowsOf(1, tradesMin, { days: 89 })
  yield* rowsOf(1, 9, { days: 95 })
  yield* rowsOf(1, tradesMin, { days: 100, endMs: endMs - 92 * dayMs })
  for (const rows of rowsOf(1, tradesMin, { days: 91, first: 1 })) yield withSpike(rows)
  for (const rows of rowsOf(1, tradesMin, { days: 91, first: 2 })) yield rows.map(toPeg)
  for (const rows of rowsOf(1, 3, { days: 91, first: 3 })) {
    yield rows.map((row) => ({ ...row, failed: true }))
  }
}

function* rowsOf(
  count: number,
  swapsPerWallet: number,
  how: { readonly days: number; readonly endMs?: number; readonly first?: number },
): Generator<readonly TradeRow[]> {
  const { days, endMs: end = endMs, first = 0 } = how
  const options = { wallets: count, swapsPerWallet, days, endMs: end }
  for (const { rows } of syntheticWallets({ ...options, state: state + first + days * 1_000 })) {
    yield rows
  }
}

/** The last two swaps buy and sell one token at three times its price. */
function withSpike(rows: readonly TradeRow[]): readonly TradeRow[] {
  const price = randomNumbers(state)() + 1
  return rows.map((row, index) => {
    if (index === rows.length - 2) {
      return {
        ...row,
        ...leg(usdc, sol, { amountIn: '10', amountOut: price.toFixed(4), usd: '10' }),
      }
    }
    if (index !== rows.length - 1) return row
    return { ...row, ...leg(sol, usdc, { amountIn: price.toFixed(4), amountOut: '30', usd: '30' }) }
  })
}

/** Dollars for dollars at no cost: equity never moves, so that no Sharpe ratio exists. */
function toPeg(row: TradeRow, index: number): TradeRow {
  const [mintIn, mintOut] = index % 2 === 0 ? [usdc, usdt] : [usdt, usdc]
  const sides = { amountIn: '100', amountOut: '100', usd: '100' }
  return { ...row, ...leg(mintIn, mintOut, sides), feeUsd: '0' }
}

function leg(
  mintIn: string,
  mintOut: string,
  { amountIn, amountOut, usd }: { amountIn: string; amountOut: string; usd: string },
) {
  return { mintIn, mintOut, amountIn, amountOut, usdIn: usd, usdOut: usd }
}

if (import.meta.main) {
  await Bun.write(new URL('../../core/score/sample-trades.csv', import.meta.url), sampleCsv())
}
