import { z } from 'zod'
import { defineJobKind } from '#core/job/kind.ts'

/** A kind that does nothing, with a payload like that of an order. */
export const benchKind = defineJobKind({
  name: 'bench',
  scope: 'jobs:write:bench',
  summary: 'For benches',
  payload: z.strictObject({
    symbol: z.string().max(16),
    side: z.enum(['buy', 'sell']),
    quantity: z.string().max(32),
    limitPrice: z.string().max(32),
    account: z.uuid(),
    note: z.string().max(256),
  }),
  result: z.unknown(),
  attemptsMax: 3,
  backoff: { firstMs: 500, capMs: 30_000 },
  timeoutMs: 30_000,
  retentionDays: 1,
  priority: 0,
  concurrency: 200,
})

export const benchPayload = {
  symbol: 'AAPL',
  side: 'buy',
  quantity: '100.00000000',
  limitPrice: '187.25000000',
  account: '6f1c2f0e-7f53-4a5e-9a52-1c6a0c0c9d11',
  note: 'rebalance of the momentum book, tranche three of eight, marketable limit '.repeat(2),
}

/** About 300 bytes. */
export const benchBody = JSON.stringify({ payload: benchPayload })
