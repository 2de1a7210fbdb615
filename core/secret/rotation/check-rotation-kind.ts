import { z } from 'zod'
import { defineJobKind } from '../../job/kind.ts'

export const checkRotationKind = defineJobKind({
  name: 'check-rotation',
  // Enqueued by a schedule.
  scope: undefined,
  summary: 'Opens the rotation of every secret that is due, and reminds of those rotated by hand',
  payload: z.strictObject({}),
  result: z.object({
    opened: z.array(z.string()),
    under_way: z.array(z.string()),
    reminded: z.array(z.string()),
  }),
  // What it has opened stays open; the next day comes anyway.
  attemptsMax: 5,
  backoff: { firstMs: 5_000, capMs: 300_000 },
  // A few statements for each of at most 200 secrets.
  timeoutMs: 60_000,
  retentionDays: 90,
  priority: 5,
  // Two at once would only find what the other has opened.
  concurrency: 1,
})
