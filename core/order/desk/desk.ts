import type { Money } from '../amount.ts'
import type { OrderEvent } from '../order.ts'
import { type Transition, transition } from '../transition.ts'
import { type DeskOrder, isOpenOrder } from './desk-view.ts'
import { type Ledger, type LedgerChanges, type LoadedLedger, openLedger } from './ledger.ts'

/** An event that has moved an order, as it will be stored. */
export type DeskEvent = {
  readonly order: DeskOrder
  readonly seq: number
  readonly event: OrderEvent
}

export type Quarantined = {
  readonly account: string
  readonly orderId: string | undefined
  readonly code: string
  readonly report: unknown
}

/** Everything that a transaction has to store; made by moving orders, in memory. */
export type DeskChanges = LedgerChanges & {
  readonly entered: ReadonlySet<DeskOrder>
  readonly moved: ReadonlySet<DeskOrder>
  readonly events: readonly DeskEvent[]
  readonly quarantined: readonly Quarantined[]
  /** Orders for which a venue has to be called. */
  readonly toAdvance: ReadonlySet<DeskOrder>
}

/**
 * The rows that a transaction has locked, and what becomes of them. One rule holds it together:
 * money, reservations, positions and counts change only because an order moved.
 */
export type Desk = Pick<Ledger, 'account' | 'position' | 'stale' | 'refold'> & {
  order(id: string): DeskOrder | undefined
  orderByClientId(account: string, clientOrderId: string): DeskOrder | undefined
  /** An order that was not there before; its first event is `submit`. */
  enter(order: DeskOrder): void
  /**
   * Applies an event and everything that follows from it. With what the order reserves from then
   * on, where that is reckoned anew.
   */
  move(order: DeskOrder, event: OrderEvent, reserved?: Money): Transition
  quarantine(what: Quarantined): void
  /** Has the order taken to its venue after the commit. */
  advance(order: DeskOrder): void
  changes(): DeskChanges
}

export type LoadedDesk = LoadedLedger & { readonly orders: ReadonlyMap<string, DeskOrder> }

const clientKey = ({ state: { terms } }: DeskOrder) => `${terms.account} ${terms.clientOrderId}`

export function openDesk(loaded: LoadedDesk): Desk {
  const ledger = openLedger(loaded)
  const orders = new Map(loaded.orders)
  const byClientId = new Map([...orders.values()].map((order) => [clientKey(order), order]))
  const entered = new Set<DeskOrder>()
  const moved = new Set<DeskOrder>()
  const events: DeskEvent[] = []
  const quarantined: Quarantined[] = []
  const toAdvance = new Set<DeskOrder>()

  function move(order: DeskOrder, event: OrderEvent, reserved = order.reserved): Transition {
    const before = order.state
    const result = transition(before, event)
    if (result.kind !== 'moved') return result
    ledger.settleHeld(order, () => {
      order.state = result.state
      order.reserved = reserved
      if (result.state.replacement === undefined) order.replacementReserved = 0n
    })
    events.push({ order, seq: before.seq, event })
    if (!entered.has(order)) moved.add(order)
    if (event.type === 'trade') ledger.book(order, event.trade)
    if (event.type === 'trade_cancel' || event.type === 'trade_correct') {
      ledger.correct(order, before)
    }
    return result
  }

  return {
    ...ledger,
    order: (id) => orders.get(id),
    orderByClientId: (account, clientOrderId) => byClientId.get(`${account} ${clientOrderId}`),
    enter(order) {
      orders.set(order.state.terms.id, order)
      byClientId.set(clientKey(order), order)
      entered.add(order)
    },
    move,
    quarantine: (what) => void quarantined.push(what),
    advance(order) {
      if (isOpenOrder(order.state)) toAdvance.add(order)
    },
    changes: () => ({ ...ledger.changes(), entered, moved, events, quarantined, toAdvance }),
  }
}
