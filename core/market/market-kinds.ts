import { z } from 'zod'
import { defineJobKind } from '../job/kind.ts'
import { symbolSchema } from './ingest-row.ts'

const applyMarketDataPayload = z.strictObject({
  /** The upload that this job follows. */
  ingest: z.uuid(),
  symbols: z.array(symbolSchema).min(1),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
})
export type ApplyMarketDataPayload = z.infer<typeof applyMarketDataPayload>

const applyMarketDataResult = z.object({
  bars: z.int().nonnegative(),
  quotes: z.int().nonnegative(),
  signals: z.int().nonnegative(),
})
export type ApplyMarketDataResult = z.infer<typeof applyMarketDataResult>

export const applyMarketDataKind = defineJobKind({
  name: 'apply-market-data',
  // Accepted by the commit of an upload, never by a request of its own.
  scope: undefined,
  summary: 'Brings statistics, breakers, signals and held orders up to what was ingested',
  payload: applyMarketDataPayload,
  result: applyMarketDataResult,
  // What it has applied stays applied; a bug in one run is worth a look after the third.
  attemptsMax: 3,
  backoff: { firstMs: 1_000, capMs: 30_000 },
  // 100,000 bars in chunks of a thousand, each with a commit and a call of the desk.
  timeoutMs: 600_000,
  retentionDays: 7,
  // Orders are judged by what it leaves: before everything that only reports.
  priority: 0,
  // A symbol's bars have to be applied in their order.
  concurrency: 1,
})
