import { unit } from '../order/amount.ts'
import type { Side } from '../order/order.ts'
import { cancelSide, type Desk, enterOrder } from './order-desk.ts'
import type { DeskMarket } from './order-entry.ts'
import { sharesFor } from './replay-rules.ts'
import type { ReplayStrategy, Signal } from './strategy.ts'

/** After a denial the same is not asked again at once; each time twice as many bars are left out. */
const patienceBarsMax = 256

/** Longer bars have no next one in their session: their orders are good till cancelled. */
const dailyBarMs = 3_600_000

/**
 * Turns a strategy's wish into orders: long with what the rules let it invest, or flat. One order
 * at a time; a position that was opened is not added to, so that sizing stays what it was when the
 * position was opened.
 */
export function chooser(strategy: ReplayStrategy, barMs: number) {
  const isDaily = barMs >= dailyBarMs
  const timeInForce = isDaily ? 'gtc' : 'day'
  let wish: Side | undefined
  let patience = 0
  let denials = 0

  function ask(desk: Desk, market: DeskMarket, side: Side): void {
    const wanted = side === 'sell' ? desk.position.quantity : entryShares(desk, market)
    const quantity = smaller(wanted, participation(desk, market))
    if (quantity <= 0n) return
    const verdict = enterOrder(desk, { side, quantity, timeInForce, strategy }, market)
    denials = verdict === 'deny' ? denials + 1 : 0
    patience = verdict === 'deny' ? Math.min(2 ** denials, patienceBarsMax) : 0
  }

  return {
    hear(signal: Signal): void {
      if (signal === 'hold' || signal === wish) return
      wish = signal
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

function entryShares(desk: Desk, market: DeskMarket): bigint {
  const equity = desk.cash + desk.position.quantity * market.price
  return sharesFor(desk.rules, equity, Number(market.price))
}

/** What the market takes of one order; more is asked for bar by bar. */
function participation({ rules }: Desk, { meanBarVolume }: DeskMarket): bigint {
  const volume = BigInt(Math.floor(meanBarVolume ?? 0)) * unit
  const most = (volume * BigInt(rules.limits.participationBasisPoints)) / 10_000n
  return most - (most % unit)
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
