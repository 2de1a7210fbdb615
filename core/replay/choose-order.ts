import { participationMax } from '../market/liquidity.ts'
import type { Price, Quantity } from '../order/amount.ts'
import type { Side } from '../order/order.ts'
import { cancelSide, type Desk, enterOrder } from './order-desk.ts'
import type { DeskMarket } from './order-entry.ts'
import { investedShares, lesser, sharesPerOrder, wholeShares } from './replay-rules.ts'
import { dailyBarMs, type ReplayStrategy, type Signal } from './strategy.ts'

/** After a denial the same is not asked again at once; each time twice as many bars are left out. */
const patienceBarsMax = 256

/**
 * Turns a strategy's wish into orders: long with what the rules let it invest, or flat. One order
 * at a time; a position that was opened is not added to, so that sizing stays what it was when the
 * position was opened.
 */
export function chooser(strategy: ReplayStrategy, barMs: number) {
  // Such a bar may have no next one in its session: its orders are good till cancelled.
  const isDaily = barMs >= dailyBarMs
  const timeInForce = isDaily ? 'gtc' : 'day'
  let wish: Side | undefined
  let patience = 0
  let denials = 0
  let isStopped = false

  function ask(desk: Desk, market: DeskMarket, side: Side): void {
    const price = highestPrice(market)
    const wanted = side === 'sell' ? desk.position.quantity : wantedShares(desk, price)
    const allowed = lesser(participation(desk, market), sharesPerOrder(desk.rules, price))
    const quantity = lesser(wanted, allowed)
    if (quantity <= 0n) return
    const result = enterOrder(desk, { side, quantity, timeInForce, strategy }, market)
    const isDenied = result.verdict === 'deny'
    isStopped = isDenied && result.code === 'DRAWDOWN_LIMIT'
    denials = isDenied ? denials + 1 : 0
    patience = isDenied ? Math.min(2 ** denials, patienceBarsMax) : 0
  }

  return {
    hear(signal: Signal): void {
      if (signal === 'hold' || signal === wish) return
      wish = signal
      // What the account may not do it may not do for another reason either.
      if (isStopped) return
      patience = 0
      denials = 0
    },
    /** Asked at every bar, so that nothing is computed for a bar that changes nothing. */
    wants(desk: Desk, timeMs: number, closeMs: number): boolean {
      if (wish === undefined) return false
      const isBusy = desk.open.length > 0 || desk.held.length > 0
      if (!isBusy && isHolding(desk) === (wish === 'buy')) return false
      // What is good for the day cannot trade after its last bar.
      if (!isDaily && timeMs >= closeMs) return false
      if (isBusy) return isAgainst(desk, wish)
      patience -= 1
      return patience < 0
    },
    ask(desk: Desk, market: DeskMarket): void {
      if (wish === undefined) return
      if (isAgainst(desk, wish)) cancelSide(desk, wish === 'buy' ? 'sell' : 'buy')
      if (isHolding(desk) !== (wish === 'buy')) ask(desk, market, wish)
    },
  }
}

export type Chooser = ReturnType<typeof chooser>

function isHolding({ position }: Desk): boolean {
  return position.quantity > 0n
}

function isAgainst({ open, held }: Desk, wish: Side): boolean {
  const against = ({ state }: Desk['open'][number]) => state.terms.side !== wish
  return open.some(against) || held.some(against)
}

function wantedShares({ cash, position, rules }: Desk, price: Price): Quantity {
  return investedShares(rules, cash + position.quantity * price, price)
}

/** Of what the checks may take as the reference, the highest. */
function highestPrice({ price, quote }: DeskMarket): Price {
  const ask = BigInt(quote?.ask ?? 0)
  return ask > price ? ask : price
}

/** What the market takes of one order; more is asked for bar by bar. */
function participation({ rules }: Desk, { meanBarVolume }: DeskMarket): Quantity {
  return wholeShares(participationMax(meanBarVolume ?? 0, rules.limits.participationBasisPoints))
}
