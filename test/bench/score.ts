import { measureWallet } from '#core/score/measure-wallet.ts'
import { formCohort, scoreMeasured } from '#core/score/score-cohort.ts'
import { tradeOf, tradeRowSchema } from '#core/score/trade.ts'
import { syntheticWallets } from '#test/score/synthetic-wallets.ts'

/**
 * Scores 1,000,000 swaps of 1,000 wallets in one process, from their JSON text to the trust
 * scores, beside the cost of merely parsing the same text.
 *
 *   bun test/bench/score.ts
 */
const wallets = 1_000
const swapsPerWallet = 1_000
const options = {
  costBasis: 'fifo',
  algorithmVersion: 'xorj-1.0.0',
  endDate: '2025-09-30',
} as const

const lines = new Map<string, string[]>()
for (const { wallet, rows } of syntheticWallets({ wallets, swapsPerWallet, state: 42 })) {
  lines.set(
    wallet,
    rows.map((row) => JSON.stringify(row)),
  )
}
const swaps = wallets * swapsPerWallet

function timed<T>(name: string, work: () => T): T {
  const start = performance.now()
  const result = work()
  const seconds = (performance.now() - start) / 1_000
  const rate = Math.round(swaps / seconds).toLocaleString('en')
  console.log(`${name.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s ${rate.padStart(12)} swaps/s`)
  return result
}

timed('baseline: JSON.parse of every row', () => {
  let characters = 0
  for (const rows of lines.values()) {
    for (const row of rows) characters += String(JSON.parse(row).amountIn).length
  }
  return characters
})

const trades = timed('validate: schema and exact decimals', () =>
  [...lines].map(([wallet, rows]) => ({
    wallet,
    trades: rows.map((row) => tradeOf(wallet, tradeRowSchema.parse(JSON.parse(row)))),
  })),
)

const scores = timed('score: cost basis, equity, metrics, cohort', () => {
  const measured = trades.map((entry) => measureWallet(entry.wallet, entry.trades, options))
  const cohort = formCohort('bench', measured, options)
  return measured.map((measurement) => scoreMeasured(measurement, cohort))
})

const scored = scores.filter((score) => score.trustScore !== null).length
console.log(`${scored} of ${wallets} wallets have a score`)
