import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { z } from 'zod'
import type { Log } from '../log.ts'
import { parsedJson } from '../reading/parsed-json.ts'
import { readBoundedText } from '../reading/read-bounded-text.ts'
import type { SendSpans, Sent } from './span-buffer.ts'

/** Bytes; a collector has a count and a sentence to say. */
const answerBytesMax = 65_536
/** Milliseconds; the request's own limit ends it earlier. */
const answerMsMax = 5_000
/** OTLP 1.5, "Retryable Response Codes"; whoever sends anything else again is told the same again. */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** Our credential is not, or no longer, let in. */
const unauthorized: ReadonlySet<number> = new Set([401, 403])

/** In JSON a 64-bit count is text; some collectors write a number. */
const partialSuccess = z.object({
  partialSuccess: z.object({ rejectedSpans: z.coerce.number().int().min(0) }),
})

export type OtlpOptions = {
  /** The collector's base URL, without `/v1/traces`. */
  readonly endpoint: string
  /** What the collector wants to see of us; asked again when it lets us in no more. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  readonly log: Log
}

/** OTLP over HTTP, as JSON. Resolves when the headers are known; throws what reading them throws. */
export async function otlpHttp({ endpoint, headers, log }: OtlpOptions): Promise<SendSpans> {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  let known = await headers()

  return async (spans, signal): Promise<Sent> => {
    const allRefused = { fate: 'taken', refused: spans.length } as const
    const isAway = { fate: 'away', refused: 0 } as const
    try {
      const body = JsonTraceSerializer.serializeRequest([...spans])
      if (body === undefined) return allRefused
      const answer = await fetch(url, {
        method: 'POST',
        // Nobody but the host that was named gets what the headers hold.
        redirect: 'manual',
        headers: { ...known, 'content-type': 'application/json' },
        body,
        signal,
      })
      const bounds = { bytesMax: answerBytesMax, timeoutMs: answerMsMax }
      const text = await readBoundedText(answer, bounds)
      // The collector's own word: it may name more than it was sent.
      if (answer.ok) {
        return { fate: 'taken', refused: Math.min(spans.length, refusedOf(text)) }
      }
      if (unauthorized.has(answer.status)) known = await headers()
      else if (!retryable.has(answer.status)) {
        log.warn('trace.refused', { status: answer.status, spans: spans.length })
        return allRefused
      }
      return isAway
    } catch (error) {
      log.debug('trace.not_sent', { error })
      return isAway
    }
  }
}

function refusedOf(text: unknown): number {
  const answer = partialSuccess.safeParse(typeof text === 'string' ? parsedJson(text) : undefined)
  return answer.success ? answer.data.partialSuccess.rejectedSpans : 0
}
