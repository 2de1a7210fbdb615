import canonicalize from 'canonicalize'
import { z } from 'zod'
import { defineJobKind } from '../job/kind.ts'
import { algorithmVersionSchema } from './algorithm.ts'
import { eligibilityStatuses } from './eligibility.ts'
import { addressSchema, parseTime, type Swap, swapSchema } from './trade.ts'
import { cohortSchema, costBasisSchema, dateSchema, walletScoreSchema } from './wallet-score.ts'

/** Swaps inside a payload; 64 KiB hold fewer. More are ingested first. */
const inlineSwapsMax = 500
/** Addresses inside a payload of 64 KiB; more wallets than that are "all". */
const listedWalletsMax = 1_000

const scope = 'jobs:write:scoring'

const options = {
  endDate: dateSchema
    .optional()
    .meta({ description: 'Last UTC day that counts; yesterday unless given' }),
  costBasis: costBasisSchema.optional().meta({ description: 'fifo unless given' }),
  algorithmVersion: algorithmVersionSchema
    .optional()
    .meta({ description: 'xorj-1.0.0 unless given' }),
}

export const scoreWalletPayload = z.strictObject({
  wallet: addressSchema,
  swaps: z
    .array(swapSchema)
    .min(1)
    .max(inlineSwapsMax)
    .superRefine(checkSequence)
    .optional()
    .meta({ description: 'Instead of the ingested swaps of the wallet; in order of time' }),
  ...options,
})
export type ScoreWalletPayload = z.infer<typeof scoreWalletPayload>

export const scoreCohortPayload = z.strictObject({
  wallets: z
    .array(addressSchema)
    .min(1)
    .max(listedWalletsMax)
    .refine((wallets) => new Set(wallets).size === wallets.length, 'must not name a wallet twice')
    .optional()
    .meta({ description: 'Every wallet with ingested swaps unless given' }),
  ...options,
})
export type ScoreCohortPayload = z.infer<typeof scoreCohortPayload>

const scoreCohortResult = z.object({
  cohort: cohortSchema,
  statuses: z.partialRecord(z.enum(eligibilityStatuses), z.int().nonnegative()),
  scored: z.int().nonnegative(),
})
export type ScoreCohortResult = z.infer<typeof scoreCohortResult>

export const scoreWalletKind = defineJobKind({
  name: 'score-wallet',
  scope,
  summary: 'Scores one wallet within the bounds of the last complete cohort',
  payload: scoreWalletPayload,
  example: { wallet: 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX', endDate: '2025-09-30' },
  result: walletScoreSchema,
  parameters: ({ swaps, ...rest }) =>
    swaps === undefined ? rest : { ...rest, swaps: swaps.length, swapsSha256: digestOf(swaps) },
  // Only an outage is tried again, and Postgres is back within a minute or the pager rings.
  attemptsMax: 5,
  backoff: { firstMs: 500, capMs: 30_000 },
  // The largest wallet allowed takes about ten seconds to read and reckon.
  timeoutMs: 60_000,
  retentionDays: 90,
  priority: 10,
  concurrency: 8,
  schedulable: true,
})

export const scoreCohortKind = defineJobKind({
  name: 'score-cohort',
  scope,
  summary: 'Scores many wallets against each other; the result is the reference for single wallets',
  payload: scoreCohortPayload,
  example: { endDate: '2025-09-30' },
  result: scoreCohortResult,
  parameters: ({ wallets, ...rest }) =>
    wallets === undefined
      ? rest
      : { ...rest, wallets: wallets.length, walletsSha256: digestOf(wallets) },
  // A batch is expensive: two more tries, then somebody should look.
  attemptsMax: 3,
  backoff: { firstMs: 5_000, capMs: 60_000 },
  // 10,000 wallets within the hour that XORJ's NFR allows.
  timeoutMs: 3_600_000,
  retentionDays: 90,
  priority: 20,
  // It keeps every measurement in memory and a core busy.
  concurrency: 1,
  schedulable: true,
})

/** SHA-256 of the RFC 8785 form, lower-case hex: what was sent can be shown to be this. */
function digestOf(value: unknown): string {
  return new Bun.CryptoHasher('sha256').update(canonicalize(value) ?? '').digest('hex')
}

function checkSequence(swaps: readonly Swap[], context: z.core.$RefinementCtx<Swap[]>): void {
  const signatures = new Set<string>()
  let latest = 0
  for (const [index, { signature, time }] of swaps.entries()) {
    const timeMs = parseTime(time) ?? latest
    if (signatures.has(signature)) {
      const message = 'appears twice'
      context.addIssue({ code: 'custom', path: [index, 'signature'], message })
    }
    if (timeMs < latest) {
      const message = 'is earlier than the swap before it; sort by time'
      context.addIssue({ code: 'custom', path: [index, 'time'], message })
    }
    signatures.add(signature)
    latest = Math.max(latest, timeMs)
  }
}
