import type { Money, Price, Quantity } from './amount.ts'

/** Alpaca's words, and two of ours: `received` and `denied` (by us; `rejected` is the venue's). */
export const orderStatuses = [
  'received',
  'denied',
  'accepted',
  'held',
  'pending_new',
  'new',
  'partially_filled',
  'filled',
  'done_for_day',
  'suspended',
  'pending_cancel',
  'pending_replace',
  'canceled',
  'expired',
  'replaced',
  'rejected',
] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const terminalStatuses: ReadonlySet<OrderStatus> = new Set([
  'denied',
  'filled',
  'canceled',
  'expired',
  'replaced',
  'rejected',
])

/** At the venue, with nothing asked of it that is still to be answered. */
export const restingStatuses: ReadonlySet<OrderStatus> = new Set([
  'new',
  'partially_filled',
  'done_for_day',
  'suspended',
])

export const sides = ['buy', 'sell'] as const
export type Side = (typeof sides)[number]
export const orderTypes = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'] as const
export type OrderType = (typeof orderTypes)[number]
export const timesInForce = ['day', 'gtc', 'gtd', 'ioc', 'fok', 'opg', 'cls'] as const
export type TimeInForce = (typeof timesInForce)[number]

/** What an order asks for. Never changes: a replacement is an order of its own. */
export type OrderTerms = {
  /** UUIDv7, ours. */
  readonly id: string
  readonly account: string
  /** At most 48 characters; what a venue knows the order by. */
  readonly clientOrderId: string
  readonly symbol: string
  readonly side: Side
  readonly type: OrderType
  readonly timeInForce: TimeInForce
  /** After sizing; what was asked for stands in the `submit` event. */
  readonly quantity: Quantity
  /** With `limit` and `stop_limit`. */
  readonly limitPrice: Price | undefined
  /** With `stop` and `stop_limit`. */
  readonly stopPrice: Price | undefined
  /** Milliseconds of the market clock: with `gtd`, and the close of the session of `day`. */
  readonly expireAt: number | undefined
  readonly strategy: string | undefined
  readonly reduceOnly: boolean
}

/** One execution, as a venue reports it. */
export type Trade = {
  /** Unique at the venue. */
  readonly tradeId: string
  readonly quantity: Quantity
  readonly price: Price
  readonly fee: Money
  /** Milliseconds, the venue's clock. */
  readonly at: number
}

/** What a replacement changes; what it leaves out stays. `quantity` is the whole, cum included. */
export type ReplacePatch = {
  readonly quantity?: Quantity
  readonly limitPrice?: Price
  readonly stopPrice?: Price
  readonly timeInForce?: TimeInForce
}

/** The events of `facts` section 8; each is one row of the order's log. */
export type OrderEvent =
  | { readonly type: 'submit'; readonly requested: Quantity; readonly replaces?: string }
  | { readonly type: 'risk.deny'; readonly code: string; readonly details: readonly string[] }
  | { readonly type: 'risk.pass'; readonly warnings: readonly string[] }
  | { readonly type: 'halt'; readonly reason: string }
  /** With what is left of the quantity, when the order was made smaller. */
  | { readonly type: 'resume'; readonly quantity?: Quantity }
  | { readonly type: 'cancel.request'; readonly reason?: string }
  | { readonly type: 'expire' }
  /** The intent, committed before the venue is called. */
  | { readonly type: 'worker.sent'; readonly attempt: number }
  | { readonly type: 'venue.ack'; readonly venueOrderId: string }
  | { readonly type: 'venue.reject'; readonly code: string; readonly raw: string }
  | { readonly type: 'trade'; readonly trade: Trade }
  | { readonly type: 'venue.canceled'; readonly reason: string }
  /** No answer, or one that says nothing; the order is looked up, never sent again unseen. */
  | { readonly type: 'timeout' }
  | {
      readonly type: 'replace.request'
      readonly successor: string
      readonly patch: ReplacePatch
    }
  | { readonly type: 'replaced'; readonly successor: string }
  | { readonly type: 'replace.reject'; readonly code: string }
  | { readonly type: 'cancel.reject'; readonly code: string }
  | { readonly type: 'done_for_day' }
  | { readonly type: 'next_session' }
  | { readonly type: 'suspend' }
  | { readonly type: 'unsuspend' }
  | { readonly type: 'trade_cancel'; readonly tradeId: string }
  | { readonly type: 'trade_correct'; readonly tradeId: string; readonly trade: Trade }
  /** First event of a successor that the venue has: it starts with what its predecessor filled. */
  | {
      readonly type: 'succeed'
      readonly replaces: string
      readonly venueOrderId: string
      readonly cumQuantity: Quantity
      readonly cumMoney: Money
    }

export type OrderEventType = OrderEvent['type']

/** The fold of an order's events. */
export type OrderState = {
  readonly terms: OrderTerms
  /** Events applied; the next has this number. Contiguous from 0. */
  readonly seq: number
  readonly status: OrderStatus
  /**
   * Where a refused cancel or replace, a suspension or a day's end leads back to; in `filled`, how
   * the order had ended before a late trade filled it up.
   */
  readonly previous: OrderStatus | undefined
  readonly cumQuantity: Quantity
  /** Sum of price times quantity: the average price times `cumQuantity`, exactly. */
  readonly cumMoney: Money
  /** 0 in a terminal status. */
  readonly leavesQuantity: Quantity
  /** The highest of the intents to send it; 0: no venue can have it, unless as a successor. */
  readonly attempts: number
  readonly venueOrderId: string | undefined
  readonly rejectCode: string | undefined
  readonly rejectDetails: readonly string[]
  readonly warnings: readonly string[]
  readonly replaces: string | undefined
  readonly replacedBy: string | undefined
  /** Of a replacement that is under way. */
  readonly replacement: { readonly successor: string; readonly patch: ReplacePatch } | undefined
  /** A trade was reported after the order had ended. */
  readonly lateFill: boolean
  /** By trade id, as they stand after corrections; a cancelled trade is kept with quantity 0. */
  readonly trades: ReadonlyMap<string, Trade>
}
