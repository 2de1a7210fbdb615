import { expect, test } from 'bun:test'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { PosternError } from '#core/errors.ts'
import { parseTraceparent } from '#core/trace/traceparent.ts'
import { errorTypeOf, openTracing } from '#core/trace/tracing.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const sampled = `00-${traceId}-${parentId}-01`

function open({ sample = 1, drawn = 0.5 } = {}) {
  const ended: ReadableSpan[] = []
  const onEnd = (span: ReadableSpan) => void ended.push(span)
  const resource = { 'service.name': 'postern-test' }
  return { ended, tracing: openTracing({ sample, resource, onEnd, random: () => drawn }) }
}

test.each([
  ['', 'nothing'],
  [`01-${traceId}-${parentId}-01`, 'another version'],
  [`00-${'0'.repeat(32)}-${parentId}-01`, 'a trace id of zeros'],
  [`00-${traceId}-${'0'.repeat(16)}-01`, 'a parent id of zeros'],
  [`00-${traceId.toUpperCase()}-${parentId}-01`, 'upper case'],
  [`00-${traceId}-${parentId}-1`, 'a flag of one digit'],
  [`00-${traceId}-${parentId}-01-extra`, 'something behind'],
  [`${sampled}\n`, 'a line break behind'],
])('%p is no traceparent: %s', (text) => {
  expect(parseTraceparent(text)).toBeUndefined()
  expect(open().tracing.begin('attempt', text)).toBeUndefined()
})

test.each(['00', '02', 'fe'])(
  'flags %s: the caller does not trace, so nobody here does',
  (flags) => {
    const { tracing } = open()
    const unsampled = `00-${traceId}-${parentId}-${flags}`
    expect(tracing.beginRequest(unsampled)).toBeUndefined()
    expect(tracing.begin('commit', unsampled)).toBeUndefined()
  },
)

test.each(['01', '03', 'ff'])(
  'flags %s: the caller traces, and we with it at any sample',
  (flags) => {
    const { tracing, ended } = open({ sample: 0 })
    const span = tracing.beginRequest(`00-${traceId}-${parentId}-${flags}`)
    expect(span?.traceparent).toMatch(new RegExp(`^00-${traceId}-(?!${parentId})[0-9a-f]{16}-01$`))
    span?.end()
    expect(ended[0]?.parentSpanContext?.spanId).toBe(parentId)
  },
)

test.each([
  [0, 0, false],
  [0.1, 0.0999, true],
  [0.1, 0.1, false],
  [1, 0.999, true],
])('with sample %p a request that draws %p begins a trace: %p', (sample, drawn, isTraced) => {
  const { tracing } = open({ sample, drawn })
  expect(tracing.beginRequest(undefined) !== undefined).toBe(isTraced)
})

test('only a request begins a trace: a job that came without one has none', () => {
  const { tracing } = open()
  expect(tracing.begin('attempt', undefined)).toBeUndefined()
})

test('a step is below what it was begun with, and says nothing before it ends', () => {
  const { tracing, ended } = open()
  const request = tracing.beginRequest(undefined)
  const commit = tracing.begin('commit', request?.traceparent, { 'postern.commit': 'order' })
  expect(ended).toEqual([])
  commit?.end({ 'postern.outcome': 'completed' })
  const [told] = ended
  const above = parseTraceparent(request?.traceparent ?? '')
  expect(told?.spanContext().traceId).toBe(above?.traceId ?? '')
  expect(told?.parentSpanContext?.spanId).toBe(above?.spanId ?? '')
  expect(told?.attributes).toEqual({
    'postern.commit': 'order',
    'postern.outcome': 'completed',
  })
})

test('what failed says so by a code or a class, and never in the words of the error', () => {
  const { tracing, ended } = open()
  const secret = 'postgres://app:hunter2@db'
  const refused = new PosternError('venue.unavailable', { reason: secret })
  for (const error of [refused, new TypeError(secret), secret]) {
    tracing.begin('venue', sampled)?.fail(errorTypeOf(error))
  }
  expect(ended.map(({ attributes }) => attributes)).toEqual([
    { 'error.type': 'venue.unavailable' },
    { 'error.type': 'TypeError' },
    { 'error.type': 'unknown' },
  ])
  expect(ended.map(({ status }) => status)).toEqual([{ code: 2 }, { code: 2 }, { code: 2 }])
  expect(JSON.stringify(ended.map(({ events }) => events))).not.toContain('hunter2')
})
