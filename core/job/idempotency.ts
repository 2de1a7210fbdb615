import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import type { JobReceipt, Submission } from './intake.ts'

/** Keys remembered in memory, so that a retry storm does not spoil the commits of its neighbours. */
const rememberedKeysMax = 20_000

/** Seconds until the first request with a key has surely been answered or refused. */
const inFlightRetrySeconds = 1

const receipts = z.array(z.object({ id: z.string(), kind: z.string(), acceptedAt: z.string() }))

export type StoredAnswer = {
  readonly fingerprint: string
  readonly receipts: readonly JobReceipt[]
}

/**
 * Answers of recent keys and the keys under way in this process. Postgres's unique index is what
 * decides; this only spares it the question.
 */
export function idempotencyMemory() {
  const answers = new Map<string, StoredAnswer>()
  const underWay = new Set<string>()
  return {
    /** The answer to replay, or undefined when the request is new. */
    begin(submission: Submission): StoredAnswer | undefined {
      const key = memoryKey(submission)
      if (key === undefined) return undefined
      const answer = answers.get(key)
      if (answer !== undefined) return matching(answer, submission)
      if (underWay.has(key)) {
        throw new PosternError('idempotency.in_flight', {
          detail: 'The first request with this Idempotency-Key is still running; ask again.',
          retryAfterSeconds: inFlightRetrySeconds,
        })
      }
      underWay.add(key)
      return undefined
    },
    remember(submission: Submission, answer: StoredAnswer): void {
      const key = memoryKey(submission)
      if (key === undefined) return
      answers.set(key, answer)
      if (answers.size <= rememberedKeysMax) return
      for (const oldest of answers.keys()) {
        answers.delete(oldest)
        break
      }
    },
    end(submission: Submission): void {
      const key = memoryKey(submission)
      if (key !== undefined) underWay.delete(key)
    },
  }
}

function memoryKey(submission: Submission): string | undefined {
  const { idempotency, caller } = submission
  if (idempotency === undefined) return undefined
  const { issuer, subject } = caller.principal
  return JSON.stringify([issuer, subject, idempotency.method, idempotency.route, idempotency.key])
}

function matching(answer: StoredAnswer, submission: Submission): StoredAnswer {
  if (answer.fingerprint === submission.idempotency?.fingerprint) return answer
  throw new PosternError('idempotency.mismatch', {
    detail: 'This Idempotency-Key was used with another payload; use a new key for a new request.',
  })
}

/** What an earlier request with the same key was answered; undefined when there was none. */
export async function findStoredAnswer(
  sql: Sql,
  submission: Submission,
): Promise<StoredAnswer | undefined> {
  const { idempotency, caller } = submission
  if (idempotency === undefined) return undefined
  const { issuer, subject } = caller.principal
  const [row] = await sql<{ fingerprint: string; response: unknown }[]>`
    select encode(fingerprint, 'hex') as fingerprint, response from postern_idempotency
    where subject = ${subject} and key = ${idempotency.key} and route = ${idempotency.route}
      and method = ${idempotency.method} and issuer = ${issuer}`
  if (row === undefined) return undefined
  const answer = { fingerprint: row.fingerprint, receipts: receipts.parse(row.response) }
  return matching(answer, submission)
}
