import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'

/** Spans that wait for their collector: a few MiB, and seconds of a busy gateway's. */
const spansMax = 4_096
/** Spans of one request to it; making them into text keeps the event loop for a few milliseconds. */
const batchMax = 256
/** Milliseconds that a lone span waits for company. */
const gatherMs = 1_000
/** Milliseconds for one request, its answer included. */
const requestMsMax = 5_000
/** Milliseconds until a collector that was away is asked again; doubled each time, up to the second. */
const retryFirstMs = 1_000
const retryMsMax = 30_000
/** Milliseconds of a stop that the rest may still be told in. */
const closeMs = 1_000

/** `away`: the same spans may be sent again. */
export type Sent = { readonly fate: 'taken' | 'away'; readonly refused: number }

/** Sends spans to a collector; never rejects. */
export type SendSpans = (spans: readonly ReadableSpan[], signal: AbortSignal) => Promise<Sent>

export type SpanBuffer = {
  /** Keeps the span until it is sent, or counts it as dropped. */
  add(span: ReadableSpan): void
  close(): Promise<void>
}

/** Bounded: while the collector is away the newest are dropped, so that what is told is whole. */
export function spanBuffer(options: {
  readonly send: SendSpans
  readonly metrics: Pick<Metrics, 'tracesDropped' | 'tracesExported'>
  readonly log: Log
}): SpanBuffer {
  const { send, metrics, log } = options
  const { tracesDropped, tracesExported } = metrics
  const spans: ReadableSpan[] = []
  let timer: Timer | undefined
  let sending: Promise<void> | undefined
  let retryMs = 0
  let isClosing = false
  const closing = new AbortController()

  function plan(): void {
    if (timer !== undefined || sending !== undefined || isClosing) return
    const isFull = retryMs === 0 && spans.length >= batchMax
    timer = setTimeout(sendSoon, isFull ? 0 : Math.max(retryMs, gatherMs))
    timer.unref()
  }

  function sendSoon(): void {
    timer = undefined
    sending ??= sendBatch(AbortSignal.timeout(requestMsMax)).finally(() => {
      sending = undefined
      if (spans.length > 0) plan()
    })
  }

  async function sendBatch(signal: AbortSignal): Promise<void> {
    const batch = spans.slice(0, batchMax)
    const { fate, refused } = await send(batch, AbortSignal.any([signal, closing.signal]))
    if (fate === 'away') {
      if (retryMs === 0) log.warn('trace.collector_away', { waiting: spans.length })
      retryMs = Math.min(retryMsMax, Math.max(retryFirstMs, retryMs * 2))
      return
    }
    if (retryMs > 0) log.info('trace.collector_back', { waiting: spans.length })
    retryMs = 0
    spans.splice(0, batch.length)
    tracesExported.inc(batch.length - refused)
    if (refused > 0) tracesDropped.inc({ reason: 'refused' }, refused)
  }

  async function sendRest(signal: AbortSignal): Promise<void> {
    while (spans.length > 0 && !signal.aborted) {
      const before = spans.length
      await sendBatch(signal)
      if (spans.length === before) return
    }
  }

  return {
    add(span) {
      if (isClosing || spans.length >= spansMax) {
        tracesDropped.inc({ reason: isClosing ? 'closed' : 'full' })
        return
      }
      spans.push(span)
      if (timer === undefined || (spans.length === batchMax && retryMs === 0)) {
        clearTimeout(timer)
        timer = undefined
        plan()
      }
    },
    async close() {
      isClosing = true
      clearTimeout(timer)
      const end = setTimeout(() => closing.abort(), closeMs)
      await sending
      await sendRest(closing.signal)
      clearTimeout(end)
      if (spans.length > 0) tracesDropped.inc({ reason: 'closed' }, spans.length)
    },
  }
}
