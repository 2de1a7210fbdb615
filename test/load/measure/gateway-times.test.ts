import { expect, test } from 'bun:test'
import { partWithin, quantileMs, readHistogram, requestsIn, since } from './gateway-times.ts'

const bucket = (labels: string, le: string, value: number) =>
  `postern_http_request_seconds_bucket{le="${le}",${labels}} ${value}`
const orders = 'method="POST",route="/v1/orders",status="201"'

function metrics(counts: readonly [number, number, number]): string {
  const others = ['GET","/healthz', 'POST","/v1/market-data', 'GET","/internal/metrics']
  return [
    '# TYPE postern_http_request_seconds histogram',
    ...['0.05', '0.1', '+Inf'].map((le, at) => bucket(orders, le, counts[at] ?? 0)),
    ...others.map((other) => {
      const [method = '', route = ''] = other.split('","')
      return bucket(`method="${method}",route="${route}",status="200"`, '+Inf', 1_000)
    }),
    'postern_jobs_accepted_total{kind="x"} 5',
  ].join('\n')
}

const before = readHistogram(metrics([100, 100, 100]))
const run = since(before, readHistogram(metrics([1_060, 1_090, 1_100])))

test('only the routes of the load count, and only what came since', () => {
  expect(requestsIn(run)).toBe(1_000)
})

test('the part within a bound is counted, a quantile lies between the bounds', () => {
  expect(partWithin(run, 0.1)).toBe(0.99)
  expect(quantileMs(run, 0.99)).toBeCloseTo(100)
  expect(quantileMs(run, 0.975)).toBeCloseTo(75)
})

test('above the highest bound nothing more is known', () => {
  expect(quantileMs(run, 0.999)).toBe(100)
})

test('without requests there is no part and no quantile', () => {
  const nothing = since(before, before)
  expect(partWithin(nothing, 0.1)).toBe(0)
  expect(quantileMs(nothing, 0.99)).toBe(0)
})
