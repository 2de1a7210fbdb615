import { expect, test } from 'bun:test'
import { absoluteText, durationText, relativeText } from '#gateway/console/time-text.ts'
import { ratesBetween, trafficOf } from '#gateway/console/traffic.ts'

const metrics = (counts: {
  readonly fast: number
  readonly slow: number
  readonly failed: number
}) => {
  const of = (status: string, within: number, all: number) => {
    const labels = `method="GET",route="/v1/jobs",status="${status}"`
    return `postern_http_request_seconds_bucket{le="0.1",${labels}} ${within}
postern_http_request_seconds_bucket{le="1",${labels}} ${all}
postern_http_request_seconds_bucket{le="+Inf",${labels}} ${all}
postern_http_request_seconds_sum{${labels}} 1.5
postern_http_request_seconds_count{${labels}} ${all}
`
  }
  return `# TYPE postern_http_request_seconds histogram
${of('200', counts.fast, counts.fast + counts.slow)}${of('503', 0, counts.failed)}postern_jobs_accepted_total 7
`
}

test('rates are those between two looks, not since the start', () => {
  const before = trafficOf(metrics({ fast: 1_000, slow: 0, failed: 50 }), 0)
  const after = trafficOf(metrics({ fast: 1_090, slow: 8, failed: 52 }), 10_000)
  const rates = ratesBetween(before, after)
  expect(rates).toMatchObject({ perSecond: 10, refusedShare: 0, failedShare: 0.02 })
  // 90 of 100 came within 0.1 s; the 99th stands nine tenths into the bucket that ends at 1 s.
  expect(rates?.p50Ms).toBeCloseTo((50 / 90) * 100)
  expect(rates?.p99Ms).toBeCloseTo(910)
})

test('a process that was started anew in between gives no rate, and no requests no quantile', () => {
  const before = trafficOf(metrics({ fast: 10, slow: 0, failed: 0 }), 0)
  const restarted = trafficOf(metrics({ fast: 1, slow: 0, failed: 0 }), 5_000)
  expect(ratesBetween(before, restarted)).toBeUndefined()
  const quiet = ratesBetween(before, { ...before, atMs: 5_000 })
  expect(quiet).toMatchObject({ perSecond: 0, failedShare: 0, p50Ms: undefined, p99Ms: undefined })
})

test.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [1_000, '1.0 s'],
  [59_999, '59 s'],
  [61_000, '1 min 1 s'],
  [7_500_000, '2 h 5 min'],
  [14 * 86_400_000 + 5, '14 d'],
  [800 * 86_400_000, '2 y 70 d'],
])('%d ms are told as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('a time is told by its distance, and by the clock or the day in UTC', () => {
  const now = Date.parse('2026-03-01T09:30:00.000Z')
  const at = (text: string) => Date.parse(text)
  expect(relativeText(now - 1_000, now)).toBe('now')
  expect(relativeText(now - 240_000, now)).toBe('4 min ago')
  expect(relativeText(now + 86_400_000, now)).toBe('in 1 d')
  expect(absoluteText(at('2026-03-01T00:00:07Z'), now)).toBe('00:00:07Z')
  expect(absoluteText(at('2026-02-28T23:59:59Z'), now)).toBe('28 Feb 23:59Z')
  expect(absoluteText(at('2019-12-31T21:00:00Z'), now)).toBe('31 Dec 2019')
})
