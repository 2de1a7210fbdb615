import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { otlpCollector, type ToldSpan } from '#test/doubles/otlp-collector.ts'
import { eventually } from '#test/integration/world.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { freePort } from '#test/support/server-process.ts'
import { untilAnswered } from '../bench/http-load.ts'

// The embedded engine takes seconds to be made.
setDefaultTimeout(60_000)

const collector = otlpCollector()

let folder: string
let url: string
let token: string
let child: ReturnType<typeof startUp>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-trace-'))
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  child = startUp(port)
  await untilAnswered(`${url}/healthz`)
  token = await tokenOf(child.stdout)
  await uploadBars()
})
afterAll(async () => {
  child.kill('SIGKILL')
  await collector.stop()
  await rm(folder, { recursive: true })
})

/** Everything in one process; of requests that come without a trace none is told. */
function startUp(port: number) {
  return Bun.spawn([...posternCommand, 'up', '--port', String(port)], {
    ...{ cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' },
    env: {
      ...{ PATH: '/usr/bin:/bin', POSTERN_LOG_LEVEL: 'silent', POSTERN_DATA_DIRECTORY: folder },
      ...{ POSTERN_OTLP_ENDPOINT: collector.url, POSTERN_OTLP_SAMPLE: '0' },
      POSTERN_OTLP_HEADERS: 'x-team=observers',
    },
  })
}

/** Reads on behind it: a process whose output nobody takes cannot end in peace. */
async function tokenOf(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  void output.pipeTo(
    new WritableStream({
      write(chunk) {
        text += decoder.decode(chunk)
      },
    }),
  )
  return await eventually(() => /^eyJ\S+$/m.exec(text)?.[0])
}

const request = (method: string, path: string, init: { headers?: object; body?: string } = {}) =>
  fetch(`${url}${path}`, {
    ...{ method, ...init },
    headers: { authorization: `Bearer ${token}`, ...init.headers },
  })

/** Enough days that the desk knows the index, the volatility and the volume. */
async function uploadBars(): Promise<void> {
  const days = Array.from({ length: 26 }, (_, day) => `2024-07-${String(day + 5).padStart(2, '0')}`)
  const weekdays = days.filter((day) => new Date(`${day}T12:00:00Z`).getUTCDay() % 6 !== 0)
  const rows = ['SPX', 'AAA'].flatMap((symbol) =>
    weekdays.map((day, at) => `${symbol},${day},100,101,99,${100 + (at % 3) * 0.25},50000000`),
  )
  const body = ['symbol,date,open,high,low,close,volume', ...rows].join('\n')
  const headers = { 'content-type': 'text/csv' }
  const answer = await request('POST', '/v1/market-data', { headers, body })
  expect(answer.status).toBe(200)
  const applied = z.object({ time: z.string() })
  await eventually(async () => {
    const signal = await request('GET', '/v1/signals/latest?symbol=AAA&strategy=momentum')
    return applied.safeParse(await signal.json()).success
  }, 30_000)
}

const placed = z.object({ id: z.string(), status: z.string() })

async function placeOrder(traceparent: string) {
  const answer = await request('POST', '/v1/orders', {
    headers: {
      ...{ 'content-type': 'application/json', traceparent },
      'idempotency-key': `"${crypto.randomUUID()}"`,
    },
    body: JSON.stringify({ symbol: 'AAA', side: 'buy', quantity: '1', order_type: 'market' }),
  })
  expect(answer.status).toBe(201)
  return placed.parse(await answer.json())
}

const filled = (id: string) =>
  eventually(async () => {
    const answer = await request('GET', `/v1/orders/${id}`)
    return /filled/.test(placed.parse(await answer.json()).status)
  }, 20_000)

const metricsText = async () => await (await request('GET', '/internal/metrics')).text()

/** `name < name of what it is below`; the caller's own span is `caller`. */
function shapeOf(spans: readonly ToldSpan[], callerSpanId: string): readonly string[] {
  const nameOf = (span: ToldSpan) =>
    span.name === 'commit' ? `commit ${span.attributes['postern.commit']}` : span.name
  const names = new Map(spans.map((span) => [span.spanId, nameOf(span)]))
  names.set(callerSpanId, 'caller')
  return spans.map((span) => `${nameOf(span)} < ${names.get(span.parentSpanId ?? '')}`).sort()
}

test('one order is one trace, from the request to the venue and the commit of its outcome', async () => {
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const { id, status } = await placeOrder(`00-${traceId}-${spanId}-01`)
  expect(status).toBe('accepted')
  await filled(id)
  const spans = await eventually(() => {
    const own = collector.spans.filter((span) => span.traceId === traceId)
    return own.some(({ name }) => name === 'run advance-orders') && own
  })
  expect(shapeOf(spans, spanId)).toEqual([
    'POST /v1/orders < caller',
    'commit order < POST /v1/orders',
    'commit outcome < run advance-orders',
    'dispatch < POST /v1/orders',
    'run advance-orders < dispatch',
    'venue < run advance-orders',
  ])
  // Nothing ends before it began, and no call outlives its run.
  expect(spans.every((span) => span.startTimeUnixNano <= span.endTimeUnixNano)).toBe(true)
  expect(collector.spans.every((span) => span.traceId === traceId)).toBe(true)
  expect([...collector.services]).toEqual(['postern'])
  expect(collector.headers[0]?.get('x-team')).toBe('observers')
})

test('a span says what was done and how it ended, and nothing of whose order it was', () => {
  const told = new Map(collector.spans.map(({ name, attributes }) => [name, attributes]))
  const anId = expect.stringMatching(/^[0-9a-f-]{36}$/)
  expect(told.get('POST /v1/orders')).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/orders',
    'http.response.status_code': 201,
    'postern.request_id': anId,
  })
  expect(told.get('run advance-orders')).toEqual({
    'postern.kind': 'advance-orders',
    'postern.job_id': anId,
    'postern.request_id': anId,
    'postern.attempt': 1,
    'postern.outcome': 'completed',
  })
  expect(told.get('venue')).toEqual({
    'postern.venue': 'paper',
    'postern.venue.call': 'submit',
    'postern.outcome': 'accepted',
  })
  expect(told.get('dispatch')).toEqual({ 'postern.batch.items': 1 })
})

test('what happened is in the metrics of the process', async () => {
  const figureIn = (text: string, series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )
  // What is so now and then: a connection that rests, a lag since the last look, spans that are out.
  const text = await eventually(async () => {
    const found = await metricsText()
    const isThere =
      found.includes('postern_jobs_unfinished{') &&
      figureIn(found, 'postern_database_connections{pool="desk",state="idle"}') > 0 &&
      figureIn(found, 'postern_nodejs_eventloop_lag_p99_seconds') > 0 &&
      figureIn(found, 'postern_traces_exported_total') > 5
    return isThere && found
  }, 20_000)
  const figureOf = (series: string) => figureIn(text, series)
  expect(figureOf('postern_orders_entered_total{verdict="accepted"}')).toBe(1)
  expect(figureOf('postern_job_start_seconds_count{kind="advance-orders"}')).toBe(1)
  const run = 'postern_job_run_seconds_count{kind="advance-orders",outcome="completed"}'
  expect(figureOf(run)).toBe(1)
  expect(
    figureOf('postern_venue_calls_seconds_count{venue="paper",call="submit",outcome="accepted"}'),
  ).toBe(1)
  expect(figureOf('postern_venue_breaker_open{venue="paper"}')).toBe(0)
  expect(figureOf('postern_commit_batch_items_sum{commit="order"}')).toBe(1)
  expect(figureOf('postern_commit_seconds_count{commit="outcome"}')).toBeGreaterThan(0)
  expect(figureOf('postern_jobs_oldest_waiting_seconds{kind="advance-orders"}')).toBe(0)
  expect(figureOf('postern_outbox_oldest_seconds')).toBeGreaterThanOrEqual(0)
  expect(figureOf('postern_audit_unsequenced_seconds')).toBeGreaterThanOrEqual(0)
})

test('with the collector gone orders go on, and the process still stops in order', async () => {
  await collector.stop()
  const { id } = await placeOrder('00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  await filled(id)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
})
