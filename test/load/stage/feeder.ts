import { seededRandom } from '#core/order/venue/seeded-random.ts'

/** A Tuesday in its middle of the morning: its session is open for the six hours that come. */
const openMs = Date.parse('2024-03-12T13:30:00Z')
/** One minute bars before it, for mean volumes, signals and a first price. */
const historyBars = 300
const minuteMs = 60_000
const quoteEveryMs = 1_000
const volume = 4_000_000
const levels = 5
/** Cents from the middle, either way. */
const halfSpread = 1
/** Cents; the first price, and the two that are traded at 180 to 190 in between. */
const firstPrices: Readonly<Record<string, number>> = { AAPL: 18_500, MSFT: 18_500 }
const otherPrice = 15_000
/** Cents that a price may lie from its first: what rests far from it stays there. */
const driftMax = 100
const uploadMsMax = 10_000

export type Feeder = {
  /** Quotes that were taken, and uploads that were not. */
  readonly counts: { taken: number; failed: number }
  stop(): Promise<void>
}

export type FeedTarget = { readonly url: string; readonly token: string }

/** Bars of the hours before, then a quote of each symbol every second, on a session that is always open. */
export async function startFeeder(target: FeedTarget, symbols: readonly string[]): Promise<Feeder> {
  const random = seededRandom(7)
  const prices = new Map(symbols.map((symbol) => [symbol, firstPriceOf(symbol)]))
  const startedAt = performance.now()
  const counts = { taken: 0, failed: 0 }
  const stop = Promise.withResolvers<'stopped'>()

  function quoteOf(symbol: string): string {
    const first = firstPriceOf(symbol)
    const step = Math.round((random() * 2 - 1) * 2)
    const before = prices.get(symbol) ?? first
    const price = Math.min(first + driftMax, Math.max(first - driftMax, before + step))
    prices.set(symbol, price)
    const [bid, ask] = [price - halfSpread, price + halfSpread]
    const time = new Date(openMs + Math.floor(performance.now() - startedAt) + 1_000)
    const side = (from: number, by: number) =>
      Array.from({ length: levels }, (_, at) => [text(from + at * by), 100_000])
    return JSON.stringify({
      ...{ symbol, time: time.toISOString(), bid: text(bid), ask: text(ask) },
      ...{ bid_size: 500_000, ask_size: 500_000 },
      levels: { bids: side(bid, -1), asks: side(ask, 1) },
    })
  }

  async function feed(): Promise<void> {
    const isTaken = await upload(target, '', symbols.map(quoteOf))
    if (isTaken) counts.taken += symbols.length
    else counts.failed += 1
  }

  if (!(await upload(target, '?interval=1m', history(symbols)))) {
    throw new Error('the bars of the market were refused')
  }
  await feed()
  const following = (async () => {
    for (let next = quoteEveryMs; ; next += quoteEveryMs) {
      const pauseMs = Math.max(0, next - (performance.now() - startedAt))
      if ((await Promise.race([stop.promise, Bun.sleep(pauseMs)])) === 'stopped') return
      await feed()
    }
  })()
  return {
    counts,
    async stop() {
      stop.resolve('stopped')
      await following
    },
  }
}

function firstPriceOf(symbol: string): number {
  return firstPrices[symbol] ?? otherPrice
}

const text = (cents: number) => (cents / 100).toFixed(2)

function history(symbols: readonly string[]): string[] {
  return symbols.flatMap((symbol) =>
    Array.from({ length: historyBars }, (_, index) => {
      const price = firstPriceOf(symbol)
      const time = new Date(openMs - (historyBars - index) * minuteMs).toISOString()
      const prices = { open: text(price), high: text(price + 5), low: text(price - 5) }
      return JSON.stringify({ symbol, time, ...prices, close: text(price), volume })
    }),
  )
}

async function upload(
  { url, token }: FeedTarget,
  query: string,
  lines: readonly string[],
): Promise<boolean> {
  const answer = await fetch(`${url}/v1/market-data${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
    signal: AbortSignal.timeout(uploadMsMax),
  }).catch(() => undefined)
  if (answer?.status === 400) throw new Error(`quotes were refused: ${await answer.text()}`)
  await answer?.arrayBuffer()
  return answer?.status === 200
}
