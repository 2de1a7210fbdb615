import type { OrderEventType, OrderStatus } from './order.ts'

/**
 * What an event does to the status:
 * - a status: the order goes there;
 * - `stays`: the event counts, the status stands;
 * - `returns`: to where it was before the request, the suspension or the day's end;
 * - `by_quantity`: what is filled decides (`statusByQuantity`);
 * - `nothing`: a duplicate, or an answer that came too late to matter; no event is written;
 * - `awaits_replace`: refused until the replacement has been answered.
 */
export type Outcome =
  | OrderStatus
  | 'stays'
  | 'returns'
  | 'by_quantity'
  | 'nothing'
  | 'awaits_replace'

/** A bust or a correction counts wherever a trade may have been booked. */
const correction = {
  new: 'by_quantity',
  partially_filled: 'by_quantity',
  filled: 'by_quantity',
  done_for_day: 'by_quantity',
  suspended: 'by_quantity',
  pending_cancel: 'by_quantity',
  pending_replace: 'by_quantity',
  canceled: 'by_quantity',
  expired: 'by_quantity',
  replaced: 'by_quantity',
} as const

/**
 * Every event in every status; a pair without an outcome is an invalid transition. Reports may
 * arrive in any order and more than once, so what a venue says is taken wherever an earlier
 * report may still be under way.
 */
export const transitionTable: Readonly<
  Record<OrderEventType, Readonly<Partial<Record<OrderStatus, Outcome>>>>
> = {
  // Ours, before a venue has heard of the order.
  submit: { received: 'stays' },
  // The checks run again when a held order is let go, and may fail then.
  'risk.deny': { received: 'denied', held: 'denied' },
  'risk.pass': { received: 'accepted' },
  halt: { accepted: 'held' },
  resume: { held: 'accepted' },
  // From `pending_new` only after a look-up that found nothing, as the next attempt.
  'worker.sent': { accepted: 'pending_new', pending_new: 'stays' },
  timeout: {
    pending_new: 'stays',
    // The answer was lost to the call, but a report has overtaken it.
    new: 'nothing',
    partially_filled: 'nothing',
    filled: 'nothing',
    done_for_day: 'nothing',
    suspended: 'nothing',
    pending_cancel: 'nothing',
    pending_replace: 'nothing',
    canceled: 'nothing',
    expired: 'nothing',
    replaced: 'nothing',
    rejected: 'nothing',
  },

  // Requests. While the fate of a submission is unknown there is nothing to cancel yet.
  'cancel.request': {
    accepted: 'canceled',
    held: 'canceled',
    new: 'pending_cancel',
    partially_filled: 'pending_cancel',
    done_for_day: 'pending_cancel',
    suspended: 'pending_cancel',
    pending_cancel: 'nothing',
    pending_replace: 'awaits_replace',
  },
  'replace.request': { new: 'pending_replace', partially_filled: 'pending_replace' },

  // A late acknowledgement still tells the venue's id, even of an order that has ended.
  'venue.ack': {
    pending_new: 'new',
    new: 'stays',
    partially_filled: 'stays',
    filled: 'stays',
    done_for_day: 'stays',
    suspended: 'stays',
    pending_cancel: 'stays',
    pending_replace: 'stays',
    canceled: 'stays',
    expired: 'stays',
    replaced: 'stays',
    rejected: 'stays',
  },
  // FIX: New to Rejected is legal.
  'venue.reject': {
    pending_new: 'rejected',
    new: 'rejected',
    pending_cancel: 'rejected',
    pending_replace: 'rejected',
    rejected: 'nothing',
  },
  trade: {
    pending_new: 'by_quantity',
    new: 'by_quantity',
    partially_filled: 'by_quantity',
    // Executed before, reported after. FIX precedence: 9 and 5 stand over 3.
    done_for_day: 'by_quantity',
    suspended: 'by_quantity',
    pending_cancel: 'by_quantity',
    pending_replace: 'by_quantity',
    // Nothing is left, so a new trade is an overfill, and is refused as one.
    filled: 'by_quantity',
    canceled: 'by_quantity',
    expired: 'by_quantity',
    replaced: 'by_quantity',
  },
  trade_cancel: correction,
  trade_correct: correction,

  // FIX ends IOC and FOK as Canceled; a venue may also cancel unasked, whatever pends.
  'venue.canceled': {
    pending_new: 'canceled',
    new: 'canceled',
    partially_filled: 'canceled',
    done_for_day: 'canceled',
    suspended: 'canceled',
    pending_cancel: 'canceled',
    pending_replace: 'canceled',
    canceled: 'nothing',
  },
  // Of an order that was sent it is the venue's report, which may overtake the acknowledgement.
  expire: {
    accepted: 'expired',
    held: 'expired',
    pending_new: 'expired',
    new: 'expired',
    partially_filled: 'expired',
    done_for_day: 'expired',
    suspended: 'expired',
    pending_cancel: 'expired',
    pending_replace: 'expired',
    expired: 'nothing',
  },
  'cancel.reject': {
    pending_cancel: 'returns',
    // A duplicate, or the answer to a request that ended with the order (FIX 102=0).
    new: 'nothing',
    partially_filled: 'nothing',
    done_for_day: 'nothing',
    suspended: 'nothing',
    pending_replace: 'nothing',
    filled: 'nothing',
    canceled: 'nothing',
    expired: 'nothing',
    rejected: 'nothing',
  },
  'replace.reject': {
    pending_replace: 'returns',
    new: 'nothing',
    partially_filled: 'nothing',
    done_for_day: 'nothing',
    suspended: 'nothing',
    pending_cancel: 'nothing',
    filled: 'nothing',
    canceled: 'nothing',
    expired: 'nothing',
    rejected: 'nothing',
  },
  replaced: { pending_replace: 'replaced', replaced: 'nothing' },

  done_for_day: {
    new: 'done_for_day',
    partially_filled: 'done_for_day',
    done_for_day: 'nothing',
  },
  next_session: { done_for_day: 'returns' },
  suspend: { new: 'suspended', partially_filled: 'suspended', suspended: 'nothing' },
  unsuspend: { suspended: 'returns' },

  // What acknowledges a successor, or tells it that its predecessor's fills were counted anew.
  succeed: {
    received: 'by_quantity',
    accepted: 'by_quantity',
    pending_new: 'by_quantity',
    new: 'by_quantity',
    partially_filled: 'by_quantity',
    filled: 'by_quantity',
    done_for_day: 'by_quantity',
    suspended: 'by_quantity',
    pending_cancel: 'by_quantity',
    pending_replace: 'by_quantity',
    canceled: 'by_quantity',
    expired: 'by_quantity',
    replaced: 'by_quantity',
  },
}
