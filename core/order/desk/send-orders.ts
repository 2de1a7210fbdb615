import { systemRecord } from '../../audit/record.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { OrderTerms } from '../order.ts'
import { successorTerms } from './apply-report.ts'
import {
  type DeskConnection,
  type DeskWork,
  deskTransaction,
  viewedTransaction,
} from './desk-transaction.ts'
import type { DeskOrder } from './desk-view.ts'
import { effectiveState, readSwitches, type SwitchRow } from './switches.ts'

/** What an order needs of its venue next. */
export type Errand =
  | { readonly kind: 'submit'; readonly terms: OrderTerms }
  /** The intent was committed by an earlier run: the venue may have it. */
  | { readonly kind: 'look-up'; readonly terms: OrderTerms; readonly attempts: number }
  | {
      readonly kind: 'cancel'
      readonly terms: OrderTerms
      readonly venueOrderId: string | undefined
    }
  | {
      readonly kind: 'replace'
      readonly terms: OrderTerms
      readonly venueOrderId: string | undefined
      readonly successor: OrderTerms
      /** Trading is halted: what is not at the venue yet does not go there. */
      readonly isHalted: boolean
    }

export type Errands = { readonly venue: string; readonly errands: readonly Errand[] }

export type OrdersOfAccount = { readonly account: string; readonly ids: readonly string[] }

/**
 * Commits the intent to send each order that was accepted, before anything is sent, and says what
 * the others need. While trading is halted nothing is sent: such orders are cancelled instead.
 */
export async function intendOrders(
  connection: DeskConnection,
  jobs: readonly OrdersOfAccount[],
): Promise<readonly Errands[]> {
  const accounts = [...new Set(jobs.map(({ account }) => account))]
  const orders = [...new Set(jobs.flatMap(({ ids }) => ids))]
  return await viewedTransaction(
    connection,
    { accounts, orders },
    {
      read: readSwitches,
      run: (work, switches) =>
        jobs.map(({ account, ids }) => ({
          venue: work.desk.account(account).venue,
          errands: ids.flatMap((id) => errandsOf(work, id, switches)),
        })),
    },
  ).catch(rethrowAsOutage)
}

function errandsOf(work: DeskWork, id: string, switches: readonly SwitchRow[]): readonly Errand[] {
  const order = work.desk.order(id)
  if (order === undefined) return []
  const { state } = effectiveState(switches, order.state.terms)
  const errand = errandOf(order, state === 'HALTED')
  if (errand === undefined) return []
  return errand.kind !== 'submit' || intend(work, order, switches) ? [errand] : []
}

function intend(
  { desk, at, record }: DeskWork,
  order: DeskOrder,
  switches: readonly SwitchRow[],
): boolean {
  const { state, scope } = effectiveState(switches, order.state.terms)
  if (state === 'HALTED') {
    desk.move(order, { type: 'cancel.request', reason: `TRADING_HALTED ${scope}` })
    record([haltedRecord(order, at)])
    return false
  }
  const attempt = order.state.attempts + 1
  return desk.move(order, { type: 'worker.sent', attempt }).kind === 'moved'
}

function errandOf({ state }: DeskOrder, isHalted: boolean): Errand | undefined {
  const { terms, venueOrderId, attempts, replacement } = state
  switch (state.status) {
    case 'accepted':
      return { kind: 'submit', terms }
    case 'pending_new':
      return { kind: 'look-up', terms, attempts }
    case 'pending_cancel':
      return { kind: 'cancel', terms, venueOrderId }
    case 'pending_replace':
      if (replacement === undefined) return undefined
      return {
        kind: 'replace',
        terms,
        venueOrderId,
        successor: successorTerms(terms, replacement, replacement.successor),
        isHalted,
      }
    default:
      // Fills may tell what became of it while the venue's answer, and its id with it, was lost.
      return attempts > 0 && venueOrderId === undefined
        ? { kind: 'look-up', terms, attempts }
        : undefined
  }
}

function haltedRecord(order: DeskOrder, at: Date) {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: 'order.denied',
    at,
    target: `order/${order.state.terms.id}`,
    outcome: 'refused',
    reason: 'TRADING_HALTED',
    details: { account: order.state.terms.account },
  })
}

/** The venue has never seen the order: it is sent again, as the next attempt. */
export async function intendAgain(connection: DeskConnection, terms: OrderTerms): Promise<boolean> {
  return await deskTransaction(
    connection,
    { accounts: [terms.account], orders: [terms.id] },
    async ({ desk, transaction, at }) => {
      const order = desk.order(terms.id)
      if (order?.state.status !== 'pending_new') return false
      const switches = await readSwitches(transaction, at)
      if (effectiveState(switches, terms).state === 'HALTED') {
        // Never at the venue, so nothing is left of it there.
        desk.move(order, { type: 'venue.canceled', reason: 'TRADING_HALTED' })
        return false
      }
      const attempt = order.state.attempts + 1
      return desk.move(order, { type: 'worker.sent', attempt }).kind === 'moved'
    },
  ).catch(rethrowAsOutage)
}

/** No answer, or none that says anything: noted, and looked up by the next run. */
export async function noteTimeout(connection: DeskConnection, terms: OrderTerms): Promise<void> {
  const scope = { accounts: [terms.account], orders: [terms.id] }
  await deskTransaction(connection, scope, ({ desk }) => {
    const order = desk.order(terms.id)
    if (order !== undefined) desk.move(order, { type: 'timeout' })
  }).catch(rethrowAsOutage)
}
