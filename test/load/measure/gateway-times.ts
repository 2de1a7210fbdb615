/** Counts of requests by the upper bound of their bucket in seconds, each with all below it. */
export type Histogram = ReadonlyMap<number, number>

const metric = 'postern_http_request_seconds_bucket'
/**
 * Not what the load does not ask for, probes, operators' routes and the feeder's uploads; nor waits for
 * a job, which take as long as it does.
 */
const isOfLoad = (labels: string) =>
  labels.includes('route="/v1/') &&
  !/method="(?:POST",route="\/v1\/market-data|GET",route="\/v1\/jobs\/:id)"/.test(labels)

/** The gateway's histogram of the load's routes, out of its metrics in Prometheus' text format. */
export function readHistogram(metrics: string): Histogram {
  const buckets = new Map<number, number>()
  for (const line of metrics.split('\n')) {
    const [, labels = '', value = ''] = /^(\w+\{[^}]*\}) (\S+)/.exec(line) ?? []
    if (!labels.startsWith(metric) || !isOfLoad(labels)) continue
    const [, bound = ''] = /le="([^"]+)"/.exec(labels) ?? []
    const upTo = bound === '+Inf' ? Infinity : Number(bound)
    buckets.set(upTo, (buckets.get(upTo) ?? 0) + Number(value))
  }
  return new Map([...buckets].sort(([one], [other]) => one - other))
}

export function since(before: Histogram, after: Histogram): Histogram {
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]))
}

export function requestsIn(histogram: Histogram): number {
  return histogram.get(Infinity) ?? 0
}

/** Milliseconds below which so large a part lies, straight between a bucket's bounds. */
export function quantileMs(histogram: Histogram, part: number): number {
  const wanted = requestsIn(histogram) * part
  let [from, below] = [0, 0]
  for (const [bound, count] of histogram) {
    if (count >= wanted && count > below) {
      if (bound === Infinity) return from * 1_000
      return (from + ((wanted - below) / (count - below)) * (bound - from)) * 1_000
    }
    ;[from, below] = [bound, count]
  }
  return 0
}

/** The part that was answered within a bound that is a bucket's; no estimate. */
export function partWithin(histogram: Histogram, seconds: number): number {
  const all = requestsIn(histogram)
  return all === 0 ? 0 : (histogram.get(seconds) ?? 0) / all
}

export async function fetchHistogram(gateway: {
  readonly url: string
  readonly token: string
}): Promise<Histogram> {
  const answer = await fetch(`${gateway.url}/internal/metrics`, {
    headers: { authorization: `Bearer ${gateway.token}` },
    signal: AbortSignal.timeout(20_000),
  })
  if (!answer.ok) throw new Error(`the gateway's metrics: ${answer.status}`)
  return readHistogram(await answer.text())
}
