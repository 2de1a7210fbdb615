import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { silentLog } from '#core/log.ts'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import { otlpHttp } from '#core/trace/otlp-http.ts'
import { type SendSpans, type SpanBuffer, spanBuffer } from '#core/trace/span-buffer.ts'
import { openTracing, type Tracing } from '#core/trace/tracing.ts'
import { type OtlpCollector, otlpCollector } from '#test/doubles/otlp-collector.ts'

const spansMax = 4_096
const log = silentLog()
const nothing = () => Promise.resolve({})

let collector: OtlpCollector
let metrics: Metrics
beforeEach(() => {
  collector = otlpCollector()
  metrics = createMetrics()
})
afterEach(() => collector.stop())

/** A buffer and a tracing that fills it. */
function filled(send: SendSpans): { buffer: SpanBuffer; trace: (count: number) => void } {
  const buffer = spanBuffer({ send, metrics, log })
  const onEnd = (span: ReadableSpan) => buffer.add(span)
  const tracing: Tracing = openTracing({ sample: 1, resource: {}, onEnd })
  const trace = (count: number) => {
    for (let at = 0; at < count; at += 1) tracing.beginRequest(undefined)?.end()
  }
  return { buffer, trace }
}

const toCollector = (endpoint = collector.url, headers = nothing) =>
  otlpHttp({ endpoint, headers, log })

/** Every series of ours that is not zero. */
async function told(): Promise<readonly string[]> {
  const text = await metrics.registry.metrics()
  return text.split('\n').filter((line) => /^postern_traces_.* (?!0$)/.test(line))
}

test('spans beyond the bound are dropped and counted, and those before them are kept', async () => {
  const sent: number[] = []
  let isBack = false
  const send: SendSpans = (spans) => {
    if (!isBack) return Promise.resolve({ fate: 'away', refused: 0 })
    sent.push(spans.length)
    return Promise.resolve({ fate: 'taken', refused: 0 })
  }
  const { buffer, trace } = filled(send)
  trace(spansMax)
  expect(await told()).toEqual([])
  trace(3)
  expect(await told()).toEqual(['postern_traces_dropped_total{reason="full"} 3'])
  isBack = true
  await buffer.close()
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(spansMax)
  expect(Math.max(...sent)).toBeLessThanOrEqual(256)
})

test('a collector that is away costs nothing but what a stop cannot wait for', async () => {
  const { buffer, trace } = filled(await toCollector('http://127.0.0.1:1'))
  trace(5)
  await buffer.close()
  trace(1)
  expect(await told()).toEqual(['postern_traces_dropped_total{reason="closed"} 6'])
})

test('a collector that never answers does not hold up a stop', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>()
  collector.script(() => promise)
  const { buffer, trace } = filled(await toCollector())
  trace(300)
  await collector.requests(1)
  await buffer.close()
  resolve(new Response())
  expect(await told()).toEqual(['postern_traces_dropped_total{reason="closed"} 300'])
})

test.each([400, 401, 413, 500])(
  '%d: spans that are refused are not kept for ever',
  async (status) => {
    collector.script(
      () => new Response('', { status }),
      () => new Response('', { status }),
    )
    const { buffer, trace } = filled(await toCollector())
    trace(256)
    await collector.requests(1)
    await buffer.close()
    const reason = status === 401 ? 'closed' : 'refused'
    expect(await told()).toEqual([`postern_traces_dropped_total{reason="${reason}"} 256`])
  },
)

test.each([429, 502, 503, 504])('%d: the same spans are sent again, once each', async (status) => {
  collector.script(() => new Response('', { status }))
  const { buffer, trace } = filled(await toCollector())
  trace(256)
  await collector.requests(2)
  await buffer.close()
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(256)
  expect(collector.spans).toHaveLength(256)
  expect(await told()).toEqual(['postern_traces_exported_total 256'])
})

test('of spans that a collector has taken in part the rest counts as dropped', async () => {
  collector.script(() => Response.json({ partialSuccess: { rejectedSpans: '2' } }))
  const { buffer, trace } = filled(await toCollector())
  trace(5)
  await buffer.close()
  expect(await told()).toEqual([
    'postern_traces_exported_total 3',
    'postern_traces_dropped_total{reason="refused"} 2',
  ])
})

test('a collector that says it has refused more than it was sent ends nothing', async () => {
  collector.script(() => Response.json({ partialSuccess: { rejectedSpans: '1000' } }))
  const { buffer, trace } = filled(await toCollector())
  trace(3)
  await buffer.close()
  expect(await told()).toEqual(['postern_traces_dropped_total{reason="refused"} 3'])
})

test('an answer that is no JSON, or without end, is an answer all the same', async () => {
  collector.script(
    () => new Response('<html>'),
    () => new Response('x'.repeat(100_000)),
  )
  const { buffer, trace } = filled(await toCollector())
  trace(256)
  await collector.requests(1)
  trace(256)
  await buffer.close()
  expect(await told()).toEqual(['postern_traces_exported_total 512'])
})

test('a redirect is not followed: it would take the credential along', async () => {
  const other = otlpCollector()
  collector.script(() => Response.redirect(`${other.url}/v1/traces`, 307))
  const headers = () => Promise.resolve({ 'x-team': 'key' })
  const { buffer, trace } = filled(await toCollector(collector.url, headers))
  trace(1)
  await buffer.close()
  await other.stop()
  expect(other.headers).toEqual([])
  expect(collector.headers[0]?.get('x-team')).toBe('key')
  expect(await told()).toEqual(['postern_traces_dropped_total{reason="refused"} 1'])
})

test('a credential that is let in no more is read again', async () => {
  const versions = ['old', 'new']
  const headers = () => Promise.resolve({ authorization: versions.shift() ?? '' })
  collector.script(() => new Response('', { status: 401 }))
  const { buffer, trace } = filled(await toCollector(`${collector.url}/`, headers))
  trace(256)
  await collector.requests(2)
  await buffer.close()
  expect(collector.headers.map((some) => some.get('authorization'))).toEqual(['old', 'new'])
  expect(collector.spans).toHaveLength(256)
})
