import type { OrderTerms } from '../order.ts'
import type { CancelResult, OrderReference, SubmitResult, Venue } from '../venue.ts'
import type { AlpacaBook } from './alpaca-book.ts'
import { type AlpacaAnswer, type AlpacaCall, faultCodeOf } from './alpaca-http.ts'
import { alpacaOrderSchema, placementOf, replacementOf } from './alpaca-order.ts'
import { ownRejection } from './own-rejection.ts'

type Changes = Pick<Venue, 'submit' | 'cancel' | 'replace'>

/** Statuses that say that the request was read and refused. */
const refusedStatuses: ReadonlySet<number> = new Set([400, 403, 404, 422])

export function alpacaChanges(
  { call, book }: { readonly call: AlpacaCall; readonly book: AlpacaBook },
  capabilities: Venue['capabilities'],
): Changes {
  /** The order that carries this client order id already, as the result of placing it. */
  async function placedBefore(clientOrderId: string): Promise<SubmitResult | undefined> {
    const order = await book.byClientOrderId(clientOrderId)
    return order === undefined ? undefined : { kind: 'accepted', venueOrderId: order.id }
  }

  function resultOf(answer: AlpacaAnswer): SubmitResult {
    if (answer.kind === 'lost') return { kind: 'unknown', reason: answer.reason }
    const { status, body, raw } = answer
    if (refusedStatuses.has(status)) return { kind: 'rejected', code: faultCodeOf(answer), raw }
    const order = alpacaOrderSchema.safeParse(body)
    if (status !== 200 || !order.success) return { kind: 'unknown', reason: `answered ${status}` }
    book.remember(order.data)
    return { kind: 'accepted', venueOrderId: order.data.id }
  }

  async function venueOrderIdOf(reference: OrderReference): Promise<string | undefined> {
    return reference.venueOrderId ?? (await book.byClientOrderId(reference.clientOrderId))?.id
  }

  return {
    async submit(order, signal) {
      const refusal = unsupported(order, capabilities)
      if (refusal !== undefined) return ownRejection(refusal)
      const path = '/v2/orders'
      const answer = await call({ method: 'POST', path, body: placementOf(order), signal })
      const result = resultOf(answer)
      if (result.kind !== 'rejected' || !/client_order_id must be unique/i.test(result.raw)) {
        return result
      }
      return (await placedBefore(order.clientOrderId)) ?? result
    },

    async cancel(reference, signal): Promise<CancelResult> {
      const id = await venueOrderIdOf(reference)
      if (id === undefined) return 'not_found'
      const path = `/v2/orders/${encodeURIComponent(id)}`
      const answer = await call({ method: 'DELETE', path, signal, isUrgent: true })
      if (answer.kind === 'lost') return 'unknown'
      if (answer.status === 204 || answer.status === 200) return 'accepted'
      if (answer.status === 404) return 'not_found'
      return answer.status === 422 ? 'not_cancelable' : 'unknown'
    },

    async replace(reference, successor, signal) {
      const refusal = unsupported(successor, capabilities)
      if (refusal !== undefined) return ownRejection(refusal)
      const id = await venueOrderIdOf(reference)
      const order = id === undefined ? undefined : await book.byVenueOrderId(id)
      if (order === undefined) return ownRejection('ORDER_NOT_FOUND')
      // Alpaca trades a replacement's whole quantity, whatever its predecessor had filled.
      if (order.filled_qty > 0n && order.status !== 'replaced')
        return ownRejection('PARTIALLY_FILLED')
      const path = `/v2/orders/${encodeURIComponent(order.id)}`
      const body = replacementOf(successor)
      const result = resultOf(await call({ method: 'PATCH', path, body, signal }))
      if (result.kind !== 'rejected') return result
      return (await placedBefore(successor.clientOrderId)) ?? result
    },
  }
}

function unsupported(
  { type, timeInForce, quantity }: OrderTerms,
  capabilities: Venue['capabilities'],
): string | undefined {
  if (!capabilities.types.includes(type)) return 'UNSUPPORTED_ORDER_TYPE'
  if (!capabilities.timesInForce.includes(timeInForce)) return 'UNSUPPORTED_TIME_IN_FORCE'
  return quantity > 0n ? undefined : 'QUANTITY_INVALID'
}
