import { seededRandom } from '#core/order/venue/seeded-random.ts'
import type { OrdersStage } from './orders-stage.ts'

/** On the first of a pair the resting orders buy, on the second they sell. */
export const symbols = [
  'AAA',
  'BBB',
  'CCC',
  'DDD',
  'EEE',
  'FFF',
  'GGG',
  'HHH',
  'III',
  'JJJ',
] as const

/** The bell of 12 March 2024, a Tuesday. */
const openMs = Date.parse('2024-03-12T13:30:00Z')
const minuteMs = 60_000
/** The session has 390; what rests for the day expires with the bar behind them. */
const barsMax = 385
const closingBar = 395
const barMs = 1_500
const uploadTries = 100
const volume = 4_000_000
/** Of a price, at most, from bar to bar. */
const stepMax = 0.006

export type FaultMarket = {
  /** Cents. */
  price(symbol: string): number
  /** Uploads a bar of each symbol every now and then, until the session nears its end. */
  start(): { stop(): Promise<void> }
  /** The next bar of each symbol. */
  advance(): Promise<void>
  /** A bar behind the close: orders for the day are over. */
  close(): Promise<void>
  bars(): number
}

/** A replayed session, each price a random walk from the seed. */
export function faultMarket(stage: OrdersStage, seed: number): FaultMarket {
  const random = seededRandom(seed)
  const prices = new Map<string, number>(
    symbols.map((symbol, index) => [symbol, 5_000 + index * 2_000]),
  )
  let bar = 0

  function move(symbol: string): object {
    const open = prices.get(symbol) ?? 10_000
    const close = Math.max(100, Math.round(open * (1 + (random() * 2 - 1) * stepMax)))
    prices.set(symbol, close)
    const text = (cents: number) => (cents / 100).toFixed(2)
    const time = new Date(openMs + bar * minuteMs).toISOString()
    const [low, high] = [Math.min(open, close) - 1, Math.max(open, close) + 1]
    return {
      ...{ symbol, time, volume, open: text(open), close: text(close) },
      ...{ low: text(low), high: text(high) },
    }
  }

  async function upload(body: string): Promise<void> {
    for (let tries = 0; tries < uploadTries; tries += 1) {
      const answer = await fetch(`${stage.url}/v1/market-data?interval=1m`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stage.token}`,
          'content-type': 'application/x-ndjson',
        },
        body,
      }).catch(() => undefined)
      if (answer?.status === 200) return
      if (answer !== undefined && answer.status < 500) {
        throw new Error(`bars refused: ${answer.status} ${await answer.text()}`)
      }
      await Bun.sleep(200)
    }
    throw new Error('bars were not taken')
  }

  async function advance(): Promise<void> {
    const rows = symbols.map((symbol) => JSON.stringify(move(symbol)))
    bar += 1
    await upload(rows.join('\n'))
  }

  return {
    price: (symbol) => prices.get(symbol) ?? 10_000,
    advance,
    start() {
      let isStopped = false
      const follow = async () => {
        while (!isStopped && bar < barsMax) {
          await advance()
          await Bun.sleep(barMs)
        }
      }
      const following = follow()
      return {
        async stop() {
          isStopped = true
          await following
        },
      }
    },
    async close() {
      bar = closingBar
      await advance()
    },
    bars: () => bar,
  }
}
