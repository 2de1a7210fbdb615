import { z } from 'zod'
import type { VenueOrderView } from '../venue.ts'
import { type AlpacaAnswer, type AlpacaCall, unavailable } from './alpaca-http.ts'
import { type AlpacaOrder, alpacaOrderSchema, alpacaViewOf } from './alpaca-order.ts'

/** Orders whose two ids are remembered, newest first to stay: some megabytes. */
const idsMax = 20_000
/** The most that one page holds. */
const pageMax = 500
/** Pages; more open orders than these no desk has. */
const pagesMax = 40

export type AlpacaBook = {
  /** Undefined: the venue has never seen it. Throws `venue.unavailable`. */
  byClientOrderId(id: string): Promise<AlpacaOrder | undefined>
  byVenueOrderId(id: string): Promise<AlpacaOrder | undefined>
  /** What the desk calls an order of the venue's. Throws `venue.unavailable`. */
  clientOrderIdOf(venueOrderId: string): Promise<string>
  remember(order: Pick<AlpacaOrder, 'id' | 'client_order_id'>): void
  viewOf(order: AlpacaOrder): Promise<VenueOrderView>
  open(): Promise<readonly AlpacaOrder[]>
}

/** A read's body; throws `venue.unavailable` for all but 200. */
export async function readBody<Body>(
  call: AlpacaCall,
  path: string,
  schema: z.ZodType<Body>,
): Promise<Body> {
  return bodyOf(await call({ method: 'GET', path }), schema)
}

function bodyOf<Body>(answer: AlpacaAnswer, schema: z.ZodType<Body>): Body {
  if (answer.kind === 'lost') throw unavailable(answer.reason, {})
  if (answer.status !== 200) throw unavailable(`answered ${answer.status}`, {})
  const parsed = schema.safeParse(answer.body)
  if (parsed.success) return parsed.data
  throw unavailable('an answer that is not as documented', { cause: parsed.error })
}

export function alpacaBook(call: AlpacaCall): AlpacaBook {
  const clientOrderIds = new Map<string, string>()

  function remember({ id, client_order_id }: Pick<AlpacaOrder, 'id' | 'client_order_id'>): void {
    clientOrderIds.delete(id)
    clientOrderIds.set(id, client_order_id)
    if (clientOrderIds.size <= idsMax) return
    const [oldest] = clientOrderIds.keys()
    if (oldest !== undefined) clientOrderIds.delete(oldest)
  }

  async function readOrder(path: string): Promise<AlpacaOrder | undefined> {
    const answer = await call({ method: 'GET', path })
    if (answer.kind === 'answer' && answer.status === 404) return undefined
    const order = bodyOf(answer, alpacaOrderSchema)
    remember(order)
    return order
  }

  const byVenueOrderId = (id: string) => readOrder(`/v2/orders/${encodeURIComponent(id)}`)

  async function clientOrderIdOf(venueOrderId: string): Promise<string> {
    const known = clientOrderIds.get(venueOrderId)
    if (known !== undefined) return known
    const order = await byVenueOrderId(venueOrderId)
    if (order === undefined) throw unavailable(`it does not show its own order ${venueOrderId}`, {})
    return order.client_order_id
  }

  async function openAfter(submittedAt: string | undefined): Promise<readonly AlpacaOrder[]> {
    const query = new URLSearchParams({ status: 'open', direction: 'asc', limit: String(pageMax) })
    if (submittedAt !== undefined) query.set('after', submittedAt)
    return await readBody(call, `/v2/orders?${query}`, z.array(alpacaOrderSchema))
  }

  return {
    byClientOrderId: (id) =>
      readOrder(`/v2/orders:by_client_order_id?${new URLSearchParams({ client_order_id: id })}`),
    byVenueOrderId,
    clientOrderIdOf,
    remember,
    async viewOf(order) {
      const { replaced_by: successor } = order
      const replacedBy =
        typeof successor === 'string' ? await clientOrderIdOf(successor) : undefined
      return alpacaViewOf(order, replacedBy)
    },
    async open() {
      const found = new Map<string, AlpacaOrder>()
      let after: string | undefined
      for (let pages = 0; pages < pagesMax; pages += 1) {
        const page = await openAfter(after)
        for (const order of page) {
          remember(order)
          found.set(order.id, order)
        }
        const last = page.at(-1)?.submitted_at
        if (page.length < pageMax || typeof last !== 'string') return [...found.values()]
        // A millisecond back: orders of one instant may stand on both sides of the page's end.
        after = new Date(Date.parse(last) - 1).toISOString()
      }
      throw unavailable(`more than ${pagesMax * pageMax} open orders`, {})
    },
  }
}
