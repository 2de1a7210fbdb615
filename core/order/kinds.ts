import { z } from 'zod'
import { defineJobKind } from '../job/kind.ts'

export const ordersPerJobMax = 64

/** Of many accounts, at one venue. */
export const advanceOrdersPayload = z.strictObject({
  venue: z.string(),
  orders: z
    .array(z.strictObject({ account: z.string(), id: z.uuid() }))
    .min(1)
    .max(ordersPerJobMax),
})
export type AdvanceOrdersPayload = z.infer<typeof advanceOrdersPayload>

const advanceOrdersResult = z.object({
  sent: z.int(),
  looked_up: z.int(),
  cancels: z.int(),
  replaces: z.int(),
})
export type AdvanceOrdersResult = z.infer<typeof advanceOrdersResult>

/** Takes orders to their venue: whatever each needs next, by its state. */
export const advanceOrdersKind = defineJobKind({
  name: 'advance-orders',
  scope: undefined,
  summary: 'Sends orders, cancels and replacements to their venue',
  payload: advanceOrdersPayload,
  result: advanceOrdersResult,
  // A venue that is away for half an hour; after that the reconciliation takes over.
  attemptsMax: 60,
  backoff: { firstMs: 250, capMs: 30_000 },
  // 64 calls one after the other at a venue that takes a second.
  timeoutMs: 90_000,
  retentionDays: 1,
  priority: 0,
  concurrency: 32,
})

const reconcileAccountPayload = z.strictObject({
  account: z.string().min(1).max(64),
  reconciliation_date: z.iso.date().optional(),
})
export type ReconcileAccountPayload = z.infer<typeof reconcileAccountPayload>

const mismatchClasses = [
  'MISSING_LOCAL',
  'MISSING_BROKER',
  'QTY_MISMATCH',
  'PRICE_MISMATCH',
  'STATE_MISMATCH',
] as const

export const reconcileAccountResult = z.object({
  account: z.string(),
  reconciliation_date: z.string().optional(),
  /** Fills that were missing here and have been replayed. */
  replayed: z.int(),
  checked: z.object({ orders: z.int(), fills: z.int(), positions: z.int() }),
  mismatches: z.array(
    z.object({
      class: z.enum(mismatchClasses),
      symbol: z.string(),
      order_id: z.string().optional(),
      detail: z.string(),
      healed: z.boolean(),
    }),
  ),
  frozen: z.array(z.string()),
})
export type ReconcileAccountResult = z.infer<typeof reconcileAccountResult>

export const reconcileAccountKind = defineJobKind({
  name: 'reconcile-account',
  scope: undefined,
  summary: 'Holds orders, fills, positions and cash of an account against its venue',
  payload: reconcileAccountPayload,
  result: reconcileAccountResult,
  // The next one comes by schedule anyway.
  attemptsMax: 3,
  backoff: { firstMs: 1_000, capMs: 10_000 },
  // Years of fills of an account that was never reconciled.
  timeoutMs: 300_000,
  retentionDays: 90,
  priority: 5,
  concurrency: 2,
  schedulable: true,
})

const reconcileAccountsResult = z.object({
  accounts: z.int(),
  reconciliation_date: z.string(),
})
export type ReconcileAccountsResult = z.infer<typeof reconcileAccountsResult>

/** One job of the kind above for each account, about all fills of the day at the exchange. */
export const reconcileAccountsKind = defineJobKind({
  name: 'reconcile-accounts',
  scope: undefined,
  summary: 'Holds every account against its venue',
  payload: z.strictObject({}),
  result: reconcileAccountsResult,
  attemptsMax: 5,
  backoff: { firstMs: 1_000, capMs: 60_000 },
  // One read, and one insert for some thousand accounts.
  timeoutMs: 30_000,
  retentionDays: 90,
  priority: 5,
  concurrency: 1,
  schedulable: true,
})
