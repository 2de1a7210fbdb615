import type { Side } from '../order/order.ts'
import type { Bar, Nanos } from './bar.ts'

export type RestingOrder =
  | { readonly type: 'market'; readonly side: Side }
  | { readonly type: 'limit'; readonly side: Side; readonly limit: Nanos }
  | { readonly type: 'stop'; readonly side: Side; readonly stop: Nanos }
  | {
      readonly type: 'stop_limit'
      readonly side: Side
      readonly stop: Nanos
      readonly limit: Nanos
    }

export type BarFill = {
  /** A stop whose price was traded at or through, filled or not. */
  readonly isTriggered: boolean
  /** Before slippage; undefined: nothing fills in this bar. */
  readonly price: Nanos | undefined
}

const nothing: BarFill = { isTriggered: false, price: undefined }

/** The price of a limit order in a bar: the better of limit and open, or none. */
function limitPrice(side: Side, limit: Nanos, bar: Bar): Nanos | undefined {
  if (side === 'buy') return bar.low <= limit ? Math.min(limit, bar.open) : undefined
  return bar.high >= limit ? Math.max(limit, bar.open) : undefined
}

/** The price at which a stop becomes a market order: the open after a gap through it, else the stop. */
function triggerPrice(side: Side, stop: Nanos, bar: Bar): Nanos | undefined {
  if (side === 'buy') return bar.high >= stop ? Math.max(stop, bar.open) : undefined
  return bar.low <= stop ? Math.min(stop, bar.open) : undefined
}

/**
 * What a bar does to an order that rested before it opened. Without volume nothing trades. Where in
 * the bar its extremes lie is unknown, so a stop-limit fills in its bar only if its limit allows the
 * price it was triggered at; after that it rests as a limit order.
 */
export function fillInBar(order: RestingOrder, bar: Bar): BarFill {
  if (!(bar.volume > 0)) return nothing
  if (order.type === 'market') return { isTriggered: false, price: bar.open }
  if (order.type === 'limit') {
    return { isTriggered: false, price: limitPrice(order.side, order.limit, bar) }
  }
  const price = triggerPrice(order.side, order.stop, bar)
  if (price === undefined) return nothing
  if (order.type === 'stop') return { isTriggered: true, price }
  const isAllowed = order.side === 'buy' ? price <= order.limit : price >= order.limit
  return { isTriggered: true, price: isAllowed ? price : undefined }
}
