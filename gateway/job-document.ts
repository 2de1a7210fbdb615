import { z } from 'zod'
import { type JobKind, jobStates } from '#core/job/kind.ts'
import { jobProblemDocument } from './problem-document.ts'

const time = z.iso.datetime().describe('RFC 3339, UTC')

/** What a caller holds after 202: proof of acceptance and the way to the job. */
export const receiptDocument = z
  .strictObject({ id: z.uuid(), kind: z.string(), acceptedAt: time })
  .meta({ title: 'JobReceipt' })

/** A job as callers see it; never its payload, which they have. */
export const jobDocument = z
  .strictObject({
    id: z.uuid(),
    kind: z.string(),
    state: z.enum(jobStates),
    issuer: z.string(),
    subject: z.string(),
    tag: z.string().optional(),
    priority: z.int(),
    notBefore: time.optional(),
    attemptsMax: z.int(),
    timeoutMs: z.int(),
    callbackUrl: z.string().optional(),
    requestId: z.string(),
    traceparent: z.string().optional(),
    acceptedAt: time,
    startedAt: time.optional(),
    finishedAt: time.optional(),
    dispatch: z.int().describe('Times it was given to the queue engine'),
    attempt: z.int().describe('Attempt of the newest run; 0 before the first'),
    result: z.unknown().optional(),
    problem: jobProblemDocument.optional(),
  })
  .meta({ title: 'Job' })

/** The same with the result that a kind's jobs have. */
export function jobDocumentOf(kind: JobKind) {
  const name = kind.name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())
  return jobDocument
    .extend({ kind: z.literal(kind.name), result: kind.result.optional() })
    .meta({ title: `${name}Job` })
}

export const jobExample = {
  id: '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4',
  kind: 'score-wallet',
  state: 'running',
  issuer: 'https://issuer.example',
  subject: 'pricing-service',
  priority: 10,
  attemptsMax: 5,
  timeoutMs: 60_000,
  requestId: '0190a3f2-7c1d-7b3c-8a1f-4e5f60718293',
  acceptedAt: '2026-03-01T09:30:00.000Z',
  startedAt: '2026-03-01T09:30:00.012Z',
  dispatch: 1,
  attempt: 1,
}
