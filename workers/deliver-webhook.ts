import { PosternError } from '#core/errors.ts'
import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import type { Job } from '#core/job/job-store.ts'
import type { Processor } from '#core/job/processor.ts'
import { webhookSignatures } from '#core/secret/webhook-keys.ts'

export type DeliverWebhookOptions = {
  readonly findJob: (jobId: string) => Promise<Job | undefined>
  /** Asked at every delivery, so that a rotated key is used at once; each of them signs. */
  readonly signingKeys: () => readonly string[]
  readonly now: () => Date
}

/** Answers that say "later": RFC 9110 15.5.9 and RFC 6585 4. */
const retryStatuses = new Set([408, 429])

/**
 * Posts the finished job to the URL it named, signed as Standard Webhooks 1.0 describes: HMAC-SHA256
 * over `<id>.<timestamp>.<body>`. The id is the delivery's own job id, equal on every attempt.
 */
export function deliverWebhook(
  options: DeliverWebhookOptions,
): Processor<{ jobId: string; url: string }, { status: number }> {
  return {
    kind: deliverWebhookKind,
    async process(attempt, signal) {
      const { jobId, url } = attempt.payload
      const job = await options.findJob(jobId)
      if (job === undefined) throw new PosternError('job.not_found', { reason: jobId })
      const keys = options.signingKeys()
      if (keys.length === 0) {
        throw new PosternError('webhook.refused', { detail: 'No webhook key is configured.' })
      }
      const body = webhookBody(job)
      const timestamp = Math.floor(options.now().getTime() / 1_000)
      const status = await post(url, body, signal, {
        'webhook-id': attempt.jobId,
        'webhook-timestamp': `${timestamp}`,
        'webhook-signature': webhookSignatures(keys, `${attempt.jobId}.${timestamp}.${body}`),
        ...(attempt.traceparent === undefined ? {} : { traceparent: attempt.traceparent }),
      })
      return { result: { status }, details: { job: jobId, url: withoutQuery(url), status } }
    },
  }
}

/** Many receivers take their key in the query, and a record is for ever. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

function webhookBody(job: Job): string {
  const { id, kind, state, tag, acceptedAt, startedAt, finishedAt, result, problem } = job
  const data = { id, kind, state, tag, acceptedAt, startedAt, finishedAt, result, problem }
  return JSON.stringify({ type: `job.${state}`, timestamp: finishedAt, data })
}

/** A redirect is not followed: the allowlist spoke of this URL and of no other. */
async function post(
  url: string,
  body: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'user-agent': 'postern', ...headers },
    redirect: 'manual',
    signal,
  }).catch((cause: unknown) => {
    throw new PosternError('webhook.unreachable', { cause })
  })
  await answer.body?.cancel()
  if (answer.ok) return answer.status
  const reason = `status ${answer.status}`
  if (answer.status >= 500 || retryStatuses.has(answer.status)) {
    throw new PosternError('webhook.unreachable', { reason })
  }
  throw new PosternError('webhook.refused', { detail: `The receiver answered ${answer.status}.` })
}
