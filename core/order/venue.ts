import type { Money, Quantity } from './amount.ts'
import type { OrderCapabilities } from './check-input.ts'
import type { OrderTerms, Trade } from './order.ts'

/** By what a venue finds an order: ours always, its own once it has told us. */
export type OrderReference = {
  readonly account: string
  readonly clientOrderId: string
  readonly venueOrderId: string | undefined
}

/** What came of a call that places or changes an order. `unknown`: it may have happened. */
export type SubmitResult =
  | { readonly kind: 'accepted'; readonly venueOrderId: string }
  | { readonly kind: 'rejected'; readonly code: string; readonly raw: string }
  | { readonly kind: 'unknown'; readonly reason: string }

export type CancelResult = 'accepted' | 'not_found' | 'not_cancelable' | 'unknown'

/** An order as the venue has it. */
export type VenueOrderView = {
  readonly clientOrderId: string
  readonly venueOrderId: string
  readonly status:
    | 'new'
    | 'partially_filled'
    | 'filled'
    | 'canceled'
    | 'expired'
    | 'rejected'
    | 'replaced'
    | 'pending'
  readonly symbol: string
  readonly quantity: Quantity
  readonly cumQuantity: Quantity
  /** Client order id of the order that took this one's place. */
  readonly replacedBy: string | undefined
}

/** Something a venue tells of an order; at least once, in any order. */
export type VenueReport = {
  readonly account: string
  readonly clientOrderId: string
  readonly event:
    | { readonly type: 'ack'; readonly venueOrderId: string }
    | { readonly type: 'reject'; readonly code: string; readonly raw: string }
    | { readonly type: 'trade'; readonly trade: Trade }
    | { readonly type: 'canceled'; readonly reason: string }
    | { readonly type: 'cancel_rejected'; readonly code: string }
    | {
        readonly type: 'replaced'
        readonly successorClientOrderId: string
        readonly venueOrderId: string
      }
    | { readonly type: 'replace_rejected'; readonly code: string }
    | { readonly type: 'expired' }
    | { readonly type: 'done_for_day' }
    | { readonly type: 'suspended' }
    | { readonly type: 'trade_cancel'; readonly tradeId: string }
    | { readonly type: 'trade_correct'; readonly tradeId: string; readonly trade: Trade }
}

export type VenueFill = {
  readonly account: string
  readonly clientOrderId: string
  readonly symbol: string
  readonly side: OrderTerms['side']
  readonly trade: Trade
  /** Where `listFills` goes on after this one. */
  readonly cursor: string
}

export type VenuePosition = { readonly symbol: string; readonly quantity: Quantity }
export type VenueAccount = { readonly cash: Money | undefined }
export type VenueClock = {
  readonly nowMs: number
  readonly isOpen: boolean
  readonly nextOpenMs: number
  readonly nextCloseMs: number
}

export type StreamHandlers = {
  /** Called again with the same report until it resolves; a report may come any number of times. */
  onReport(report: VenueReport): Promise<void>
  /** Reports may have been missed: reconcile. */
  onDisconnect(): void
  onReconnect(): void
}

/**
 * Where orders are executed. `submit` never sends an order twice by itself: the caller has
 * committed its intent, and after `unknown` asks `findByClientOrderId` before anything else.
 * Calls with a client order id that the venue has already are answered with the order it has.
 * A venue that limits us or is away throws `venue.unavailable` (an outage: nothing was sent), or
 * answers `unknown` when it may have been. Safe concurrently.
 */
export type Venue = {
  readonly name: string
  readonly capabilities: OrderCapabilities & {
    readonly replace: boolean
    readonly shorting: boolean
  }
  submit(order: OrderTerms, signal: AbortSignal): Promise<SubmitResult>
  cancel(order: OrderReference, signal: AbortSignal): Promise<CancelResult>
  /** The successor's client order id and terms after the patch. */
  replace(order: OrderReference, successor: OrderTerms, signal: AbortSignal): Promise<SubmitResult>
  /** Undefined: the venue has never seen it, so it is safe to send. Throws `venue.unavailable`. */
  findByClientOrderId(account: string, id: string): Promise<VenueOrderView | undefined>
  listOpen(account: string): Promise<readonly VenueOrderView[]>
  /** Oldest first, from behind the cursor; undefined starts at the beginning. */
  listFills(account: string, since: string | undefined): AsyncIterable<VenueFill>
  positions(account: string): Promise<readonly VenuePosition[]>
  account(account: string): Promise<VenueAccount>
  clock(account: string): Promise<VenueClock>
  /** At least once, in any order; resolves once the stream is open. */
  stream(handlers: StreamHandlers): Promise<{ close(): Promise<void> }>
}
