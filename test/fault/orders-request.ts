import { type FaultMarket, symbols } from './orders-market.ts'
import { accounts } from './orders-stage.ts'

export type OrderBody = Readonly<Record<string, string>>

type Drawing = {
  readonly random: () => number
  readonly market: FaultMarket
}

/** Shares of each way to trade, and what an order of it says; prices are cents. */
type Way = {
  readonly share: number
  readonly side: 'resting' | 'counter'
  members(price: number, sign: number, random: () => number): OrderBody
}

const cents = (value: number) => (Math.max(1, Math.round(value)) / 100).toFixed(2)
const away = (random: () => number) => 0.003 + random() * 0.03
const longLived = (random: () => number) => (random() < 0.5 ? 'gtc' : 'day')

/** `sign` is 1 for a buy: a price plus sign times something is nearer to trading. */
const ways: readonly Way[] = [
  { share: 20, side: 'resting', members: () => ({ order_type: 'market' }) },
  {
    share: 34,
    side: 'resting',
    members: (price, sign, random) => ({
      order_type: 'limit',
      limit_price: cents(price * (1 - sign * away(random))),
      time_in_force: longLived(random),
    }),
  },
  {
    share: 10,
    side: 'resting',
    members: (price, sign) => ({
      order_type: 'limit',
      limit_price: cents(price * (1 + sign * 0.01)),
    }),
  },
  {
    share: 10,
    side: 'counter',
    members: (price, sign) => ({
      order_type: 'ioc',
      limit_price: cents(price * (1 - sign * 0.0005)),
    }),
  },
  {
    share: 4,
    side: 'counter',
    members: (price, sign) => ({
      order_type: 'limit',
      limit_price: cents(price * (1 + sign * 0.002)),
      time_in_force: 'day',
    }),
  },
  { share: 8, side: 'resting', members: () => ({ order_type: 'ioc' }) },
  {
    share: 4,
    side: 'resting',
    members: () => ({ order_type: 'market', time_in_force: 'fok' }),
  },
  {
    share: 5,
    side: 'resting',
    members: (price, sign, random) => ({
      order_type: 'stop',
      stop_price: cents(price * (1 + sign * away(random))),
      time_in_force: longLived(random),
    }),
  },
  {
    share: 3,
    side: 'resting',
    members: (price, sign) => ({
      order_type: 'limit',
      limit_price: cents(price * (1 + sign * 0.5)),
    }),
  },
]
const shares = ways.reduce((sum, { share }) => sum + share, 0)

/** An order as a caller would send it; some are denied on purpose. */
export function drawOrder({ random, market }: Drawing): OrderBody {
  const account = pick(accounts, random) ?? 'alpha'
  const at = Math.floor(random() * symbols.length)
  const symbol = symbols[at] ?? 'AAA'
  const way = drawWay(random)
  const isBuy = (at % 2 === 0) === (way.side === 'resting')
  const members = way.members(market.price(symbol), isBuy ? 1 : -1, random)
  const quantity = String(1 + Math.floor(random() * 100))
  const side = isBuy ? 'buy' : 'sell'
  return { account, symbol: random() < 0.01 ? 'NOPE' : symbol, side, quantity, ...members }
}

function drawWay(random: () => number): Way {
  let left = random() * shares
  for (const way of ways) {
    left -= way.share
    if (left < 0) return way
  }
  throw new Error('invariant: the shares add up')
}

/** What a replacement changes: a price that may trade at once, a quantity, or both. */
export function drawPatch(random: () => number, price: number): OrderBody {
  const limit_price = cents(price * (1 + (random() * 2 - 1) * 0.02))
  const quantity = String(1 + Math.floor(random() * 120))
  if (random() < 0.5) return { limit_price }
  return random() < 0.5 ? { quantity } : { quantity, limit_price }
}

export function pick<Item>(items: readonly Item[], random: () => number): Item | undefined {
  return items[Math.floor(random() * items.length)]
}
