import { invariant } from '../invariant.ts'
import type { OrderEvent, OrderState, OrderTerms } from './order.ts'
import { newOrder, transition } from './transition.ts'

/** The state that stored events lead to; they moved the order when they were stored, and so now. */
export function foldOrder(terms: OrderTerms, events: Iterable<OrderEvent>): OrderState {
  let state = newOrder(terms)
  for (const event of events) {
    const next = transition(state, event)
    invariant(
      next.kind === 'moved',
      `event ${state.seq} (${event.type}) of order ${terms.id} does not follow`,
    )
    state = next.state
  }
  return state
}
