import { z } from 'zod'
import { defineJobKind } from './kind.ts'

/** Enqueued by the commit that finishes a job which asked for a callback. */
export const deliverWebhookKind = defineJobKind({
  name: 'deliver-webhook',
  scope: undefined,
  summary: 'Tells a service that its job is finished',
  payload: z.strictObject({ jobId: z.uuid(), url: z.url() }),
  result: z.strictObject({ status: z.number().int() }),
  // A receiver that is being deployed is back within minutes: eight tries span about ten.
  attemptsMax: 8,
  backoff: { firstMs: 1_000, capMs: 300_000 },
  // The receiver only has to store what it is sent.
  timeoutMs: 15_000,
  retentionDays: 30,
  priority: 0,
  concurrency: 20,
})
