import { expect, setDefaultTimeout, test } from 'bun:test'
import { applyReports } from '#core/order/desk/apply-reports.ts'
import { deskTransaction } from '#core/order/desk/desk-transaction.ts'
import { readOrders } from '#core/order/desk/read-rows.ts'
import type { OrderEvent, OrderState } from '#core/order/order.ts'
import type { VenueReport } from '#core/order/venue.ts'
import { seededRandom } from '../../audit/verify/seeded-random.ts'
import { arrivalOf, type Random, takeAll, venueHistory } from '../order-generator.ts'
import { deskFaults } from './desk-faults.ts'
import { account, noonMs } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
setDefaultTimeout(120_000)

const histories = 40

test('reports in any order and number come to what the pure fold of them says', async () => {
  const ends = new Set<string>()
  for (let seed = 1; ends.size < 6 || seed <= histories; seed += 1) {
    const random = seededRandom(seed)
    const history = venueHistory(random)
    const events = arrivalOf(history, random)
    // Successions name orders, which those of the generator are not; they have tests of their own.
    if (events.some(({ type }) => type === 'succeed' || type === 'replace.request')) continue
    const expected = takeAll(history.terms, events).state
    const actual = await takeByDesk({ events, random, seed })
    expect({ seed, ...comparable(actual) }).toEqual({ seed, ...comparable(expected) })
    expect({ seed, faults: await deskFaults(world.sql) }).toEqual({ seed, faults: [] })
    ends.add(expected.status)
  }
})

/** Trades have ids of their own at a venue, and the order its own terms. */
function comparable({ terms: _terms, seq: _seq, trades, ...state }: OrderState) {
  const sizes = [...trades.values()].map(({ quantity, price }) => `${quantity} at ${price}`)
  return { ...state, trades: sizes.toSorted() }
}

async function takeByDesk({
  events,
  random,
  seed,
}: {
  readonly events: readonly OrderEvent[]
  readonly random: Random
  readonly seed: number
}): Promise<OrderState> {
  const { id, client_order_id } = await world.place({ timeInForce: 'gtc' })
  world.clock.nowMs = noonMs + seed * 1_000
  await world.sql`update postern_instrument set last_time = ${new Date(world.clock.nowMs)}`
  await world.intend(id)
  let waiting: VenueReport[] = []
  const flush = async () => {
    if (waiting.length > 0) await applyReports(world.workerDesk, waiting)
    waiting = []
  }
  for (const event of events) {
    const told = reportOf(event, `${seed}`)
    if (told !== undefined) waiting.push({ account, clientOrderId: client_order_id, event: told })
    const isOurs = event.type === 'cancel.request'
    if (isOurs || random.below(3) === 0) await flush()
    if (!isOurs) continue
    const scope = { accounts: [account], orders: [id] }
    await deskTransaction(world.workerDesk, scope, ({ desk }) => {
      const order = desk.order(id)
      if (order === undefined) throw new Error('the order is there')
      desk.move(order, event)
      desk.advance(order)
    })
  }
  await flush()
  const order = (await readOrders(world.sql, [id])).get(id)
  if (order === undefined) throw new Error('the order is there')
  return order.state
}

/** What a venue tells by it; undefined for what it does not tell. */
function reportOf(event: OrderEvent, prefix: string): VenueReport['event'] | undefined {
  const own = (tradeId: string) => `${prefix}-${tradeId}`
  switch (event.type) {
    case 'venue.ack':
      return { type: 'ack', venueOrderId: event.venueOrderId }
    case 'venue.reject':
      return { type: 'reject', code: event.code, raw: event.raw }
    case 'trade':
      return { type: 'trade', trade: { ...event.trade, tradeId: own(event.trade.tradeId) } }
    case 'trade_cancel':
      return { type: 'trade_cancel', tradeId: own(event.tradeId) }
    case 'trade_correct': {
      const trade = { ...event.trade, tradeId: own(event.trade.tradeId) }
      return { type: 'trade_correct', tradeId: own(event.tradeId), trade }
    }
    case 'venue.canceled':
      return { type: 'canceled', reason: event.reason }
    case 'cancel.reject':
      return { type: 'cancel_rejected', code: event.code }
    case 'expire':
      return { type: 'expired' }
    case 'done_for_day':
      return { type: 'done_for_day' }
    case 'suspend':
      return { type: 'suspended' }
    default:
      return undefined
  }
}
