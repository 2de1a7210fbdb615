import { expect, test } from 'bun:test'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { openTracing } from '#core/trace/tracing.ts'
import { memoryGateway, outsideAddress } from './memory-gateway.ts'

function traced(sample = 1) {
  const ended: ReadableSpan[] = []
  const onEnd = (span: ReadableSpan) => void ended.push(span)
  const tracing = openTracing({ sample, resource: {}, onEnd })
  return { ended, ...memoryGateway({ overrides: { tracing } }) }
}

const path = '/v1/jobs/score-wallet'
const body = { payload: { wallet: 'w1' } }

test.each([
  ['/v1/jobs/01a223bf-0291-7074-9cfa-7856052df0fb', {}, 404, 'job.not_found'],
  ['/v1/nothing-of-the-kind', {}, 404, 'none'],
  [path, {}, 405, 'route.method_not_allowed'],
  ['/v1/kinds', { address: outsideAddress }, 403, 'access.address_refused'],
  ['/v1/kinds', { as: 'nobody' }, 401, 'auth.token_rejected'],
])('%s %j is told by its template, %d and %s, and with nothing of the caller', async (...row) => {
  const [at, init, status, code] = row
  const { request, ended } = traced()
  await request(at, init)
  const [span] = ended
  expect(ended).toHaveLength(1)
  expect(span?.attributes['http.response.status_code']).toBe(status)
  expect(span?.attributes['error.type'] ?? 'none').toBe(code)
  const said = JSON.stringify([span?.name, span?.attributes])
  for (const secret of ['01a223bf', 'nobody', outsideAddress, 'of-the-kind']) {
    expect(said).not.toContain(secret)
  }
})

test('a job is accepted below its request, whose trace goes on in it', async () => {
  const { post, submissions, ended, lines } = traced()
  await post(path, body)
  const spanId = ended[0]?.spanContext().spanId ?? ''
  const traceparent = `00-${ended[0]?.spanContext().traceId}-${spanId}-01`
  expect(submissions[0]?.caller.traceparent).toBe(traceparent)
  expect(lines.at(-1)?.fields['traceparent']).toBe(traceparent)
})

test('a request that is not traced keeps what it came with, and nothing where it had nothing', async () => {
  const { post, submissions, ended } = traced(0)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
  await post(path, body, { headers: { traceparent } })
  await post(path, body)
  expect(submissions.map(({ caller }) => caller.traceparent)).toEqual([traceparent, undefined])
  expect(ended).toEqual([])
})

test('probes are not told, however often a balancer asks', async () => {
  const { request, ended } = traced()
  await request('/healthz', { as: '' })
  await request('/readyz', { as: '' })
  expect(ended).toEqual([])
})
