import { z } from 'zod'
import { defineJobKind } from '../job/kind.ts'
import { driftSources, driftVerdicts } from './finding.ts'

const checkDriftPayload = z.strictObject({
  sources: z
    .array(z.enum(driftSources))
    .min(1)
    .max(driftSources.length)
    .refine((sources) => new Set(sources).size === sources.length, 'named twice')
    .optional()
    .describe('Without it: what runs, and the plan where one is configured'),
})
export type CheckDriftPayload = z.infer<typeof checkDriftPayload>

const checkDriftResult = z.strictObject({
  sources: z.array(
    z.strictObject({
      source: z.enum(driftSources),
      verdict: z.enum(driftVerdicts),
      reason: z.string().nullable(),
      findings: z.int(),
      opened: z.int(),
      resolved: z.int(),
    }),
  ),
})
export type CheckDriftResult = z.infer<typeof checkDriftResult>

export const checkDriftKind = defineJobKind({
  name: 'check-drift',
  scope: 'jobs:write:drift',
  summary: 'Compares what is configured with what is: the plan that CI made, and what runs',
  payload: checkDriftPayload,
  example: { sources: ['runtime'] },
  result: checkDriftResult,
  // A store, a lock or a database that is away for some minutes; the next day comes anyway.
  attemptsMax: 5,
  backoff: { firstMs: 5_000, capMs: 300_000 },
  // A plan of a large state takes minutes, and ends by itself before this.
  timeoutMs: 900_000,
  retentionDays: 90,
  priority: 5,
  schedulable: true,
  // Two at once would only overtake each other.
  concurrency: 1,
})
