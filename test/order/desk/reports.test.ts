import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { applyReports } from '#core/order/desk/apply-reports.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import type { VenueReport } from '#core/order/venue.ts'
import {
  account,
  accountRow,
  addAccount,
  addInstrument,
  eventTypes,
  noonMs,
  orderRow,
  positionRow,
  quarantine,
  recordsOf,
  setSwitch,
} from './desk-rows.ts'
import { fate, openDeskWorld, tradeReport } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
expectNoFaultsAfterEach(world)

const dayMs = 86_400_000
type Row = Record<string, unknown>
const of = (order: OrderDocument, event: VenueReport['event']): VenueReport => ({
  ...{ account, clientOrderId: order.client_order_id, event },
})
const canceled = (order: OrderDocument) => of(order, { type: 'canceled', reason: 'asked' })
const fill = (order: OrderDocument, id: string, quantity: string, price?: string, at?: number) =>
  tradeReport(order.client_order_id, id, quantity, {
    ...(price === undefined ? {} : { price }),
    ...(at === undefined ? {} : { at }),
  })
const switches = async () => [
  ...(await world.sql<Row[]>`select key, state, until from postern_trading_state order by key`),
]
const days = async () => [
  ...(await world.sql<Row[]>`select day::text, trim_scale(quantity)::text as quantity,
    trim_scale(realised)::text as realised from postern_position_day order by day`),
]

test('a report of an order that nobody made is kept and changes nothing', async () => {
  await world.report(tradeReport('never-seen', 't1', '10'))
  expect(await quarantine(world.sql)).toEqual(['UNKNOWN_ORDER'])
  expect(await accountRow(world.sql)).toMatchObject({ cash: '100000' })
  expect(await recordsOf(world.sql, `account/${account}`)).toMatchObject([
    { type: 'order.quarantined', outcome: 'failed', reason: 'UNKNOWN_ORDER' },
  ])
})

test('more than was ordered is kept, and its symbol may only be reduced from then on', async () => {
  const order = await world.live()
  await world.report(fill(order, 't1', '6'), fill(order, 't2', '5'))
  expect(await orderRow(world.sql, order.id)).toMatchObject({
    status: 'partially_filled',
    cum: '6',
  })
  expect(await quarantine(world.sql)).toEqual(['OVERFILL'])
  expect(await switches()).toEqual([{ key: 'AAPL', state: 'REDUCING', until: null }])
  expect(await recordsOf(world.sql, 'symbol/AAPL')).toMatchObject([
    { type: 'trading.state_changed', reason: 'RECONCILIATION' },
  ])
  // The same again is the same.
  await world.report(fill(order, 't2', '5'), fill(order, 't2', '5'))
  expect(await quarantine(world.sql)).toEqual(['OVERFILL'])
  // A bust makes room for it.
  await world.report(of(order, { type: 'trade_cancel', tradeId: 't1' }))
  expect(await orderRow(world.sql, order.id)).toMatchObject({ cum: '5' })
  expect(await quarantine(world.sql)).toEqual(['OVERFILL resolved'])
})

test.each([
  ['a freeze that would end by itself stays', 'REDUCING', noonMs + 1, 'REDUCING'],
  ['a halt that would end by itself stays a halt', 'HALTED', noonMs + 1, 'HALTED'],
  ['a halt that has ended becomes a freeze', 'HALTED', noonMs, 'REDUCING'],
  ['a halt stays a halt', 'HALTED', undefined, 'HALTED'],
] as const)('an overfill of a symbol with a switch: %s', async (_name, state, until, after) => {
  const order = await world.live()
  await setSwitch(world.sql, state, {
    ...{ scope: 'symbol', key: 'AAPL' },
    ...(until === undefined ? {} : { until: new Date(until) }),
  })
  await world.report(fill(order, 't1', '11'))
  expect(await switches()).toEqual([{ key: 'AAPL', state: after, until: null }])
})

test('a trade is one order’s: told of a second one it is kept and not booked again', async () => {
  const [first, second] = [await world.live(), await world.live({ timeInForce: 'gtc' })]
  await world.report(fill(first, 't1', '4'), fill(second, 't1', '4'), fill(second, 't2', '1'))
  expect(await quarantine(world.sql)).toEqual(['TRADE_OF_ANOTHER_ORDER'])
  expect(await positionRow(world.sql)).toMatchObject({ quantity: '5' })
  // Within one commit too.
  await applyReports(world.workerDesk, [fill(second, 't3', '2'), fill(first, 't3', '2')])
  expect(await positionRow(world.sql)).toMatchObject({ quantity: '7' })
  expect(await orderRow(world.sql, first.id)).toMatchObject({ cum: '4' })
})

test('a fill moves cash, position and its day, and frees what it no longer holds', async () => {
  const order = await world.live()
  await world.report(fill(order, 't1', '4', '99.5'))
  expect(await accountRow(world.sql)).toEqual({ cash: '99602', reserved: '600', open: 1 })
  expect(await positionRow(world.sql)).toEqual({ quantity: '4', buy: '6', sell: '0' })
  await world.report(fill(order, 't2', '6', '99'))
  expect(await accountRow(world.sql)).toEqual({ cash: '99008', reserved: '0', open: 0 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', cum: '10' })
  expect(await days()).toEqual([{ day: '2024-03-01', quantity: '10', realised: '0' }])
})

test('the same report again, in this commit or a later one, changes nothing', async () => {
  const order = await world.live()
  const ack = of(order, { type: 'ack', venueOrderId: `venue-${order.id}` })
  const reports = [ack, fill(order, 't1', '4'), ack, fill(order, 't1', '4')]
  await applyReports(world.workerDesk, reports)
  await Promise.all([...reports, ...reports].map((one) => world.reports.apply(one)))
  expect(await eventTypes(world.sql, order.id)).toEqual([
    ...['submit', 'risk.pass', 'worker.sent', 'venue.ack', 'trade'],
  ])
  expect(await accountRow(world.sql)).toMatchObject({ cash: '99600' })
  expect(await quarantine(world.sql)).toEqual([])
})

test('the same fills at once from two processes are booked once', async () => {
  const other = world.deskOn(world.poolAt(world.url, 'postern_worker'))
  for (let round = 0; round < 15; round += 1) {
    // The age of data makes orders smaller.
    await addInstrument(world.sql, 'AAPL', { atMs: world.clock.nowMs })
    const order = await world.live({ quantity: parseAmount('3') })
    const fills = ['1', '2', '3'].map((n) => fill(order, `${order.id}-${n}`, '1'))
    await Promise.all([
      applyReports(world.workerDesk, fills),
      applyReports(other, fills.toReversed()),
      ...fills.map((one) => world.reports.apply(one)),
    ])
    expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', cum: '3' })
    world.clock.nowMs += 501
  }
  expect(await positionRow(world.sql)).toMatchObject({ quantity: '45' })
})

test('a fill before its acknowledgement counts, and the acknowledgement still names the order', async () => {
  const order = await world.place()
  await world.intend(order.id)
  await world.report(fill(order, 't1', '10'), of(order, { type: 'ack', venueOrderId: 'v1' }))
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', venue: 'v1' })
})

test('a fill that comes after the cancellation is booked and marked late', async () => {
  const order = await world.live()
  await world.report(fill(order, 't1', '2'), canceled(order))
  expect(await accountRow(world.sql)).toEqual({ cash: '99800', reserved: '0', open: 0 })
  await world.report(fill(order, 't2', '3'))
  expect(await orderRow(world.sql, order.id)).toMatchObject({
    status: 'canceled',
    cum: '5',
    late: true,
  })
  expect(await accountRow(world.sql)).toEqual({ cash: '99500', reserved: '0', open: 0 })
  await world.report(fill(order, 't3', '5'))
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled' })
})

test('a correction before its trade waits for it', async () => {
  const order = await world.live()
  const { event } = fill(order, 't1', '3', '98')
  if (event.type !== 'trade') throw new Error('a fill is a trade')
  await world.report(of(order, { type: 'trade_correct', tradeId: 't1', trade: event.trade }))
  expect(await quarantine(world.sql)).toEqual(['UNKNOWN_TRADE'])
  await world.report(fill(order, 't1', '4', '99'))
  expect(await quarantine(world.sql)).toEqual(['UNKNOWN_TRADE resolved'])
  expect(await orderRow(world.sql, order.id)).toMatchObject({ cum: '3' })
  expect(await accountRow(world.sql)).toMatchObject({ cash: '99706' })
})

test('a bust takes back cash and position, of its day and of those after it', async () => {
  const [buy, more] = [await world.live(), await world.live({ timeInForce: 'gtc' })]
  await world.report(fill(buy, 't1', '10', '90', noonMs - dayMs), fill(more, 't2', '10', '100'))
  const sell = await world.live({ side: 'sell' })
  await world.report(fill(sell, 't3', '10', '105'))
  expect(await days()).toEqual([
    { day: '2024-02-29', quantity: '10', realised: '0' },
    { day: '2024-03-01', quantity: '10', realised: '100' },
  ])
  await world.report(of(buy, { type: 'trade_cancel', tradeId: 't1' }))
  expect(await days()).toEqual([
    { day: '2024-02-29', quantity: '0', realised: '0' },
    { day: '2024-03-01', quantity: '0', realised: '50' },
  ])
  expect(await accountRow(world.sql)).toMatchObject({ cash: '100050' })
  expect(await positionRow(world.sql)).toMatchObject({ quantity: '0' })
})

test('a fill of an earlier day that comes late refolds the days since', async () => {
  const [first, second] = [await world.live(), await world.live({ timeInForce: 'gtc' })]
  await world.report(fill(second, 't2', '5', '100'), fill(first, 't1', '5', '80', noonMs - dayMs))
  expect(await days()).toEqual([
    { day: '2024-02-29', quantity: '5', realised: '0' },
    { day: '2024-03-01', quantity: '10', realised: '0' },
  ])
})

/** Asks for 20 instead of 10, of which 4 are filled; the successor's client order id. */
async function replacing(order: OrderDocument): Promise<string> {
  await world.report(fill(order, 't1', '4'))
  return await world.replace(order.id, { quantity: parseAmount('20') })
}
const replaced = (order: OrderDocument, successor: string) =>
  of(order, { type: 'replaced', successorClientOrderId: successor, venueOrderId: 'v2' })

test('while a replacement is under way the larger of the two is held', async () => {
  const order = await world.live()
  const successor = await replacing(order)
  expect(await accountRow(world.sql)).toEqual({ cash: '99600', reserved: '1600', open: 1 })
  expect(await positionRow(world.sql)).toEqual({ quantity: '4', buy: '16', sell: '0' })
  await world.report(replaced(order, successor))
  expect(await accountRow(world.sql)).toEqual({ cash: '99600', reserved: '1600', open: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced', next: successor })
  expect(await orderRow(world.sql, successor)).toMatchObject({
    ...{ status: 'partially_filled', quantity: '20', cum: '4', venue: 'v2' },
  })
})

test('a replacement that is refused holds what the order held before', async () => {
  const order = await world.live()
  await replacing(order)
  await world.report(of(order, { type: 'replace_rejected', code: 'TOO_LATE' }))
  expect(await accountRow(world.sql)).toEqual({ cash: '99600', reserved: '600', open: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'partially_filled' })
})

test('a late fill of a replaced order takes from what its successor has left', async () => {
  const order = await world.live()
  const successor = await replacing(order)
  await world.report(replaced(order, successor), fill(order, 't2', '3'))
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced', cum: '7' })
  expect(await orderRow(world.sql, successor)).toMatchObject({ cum: '7' })
  expect(await accountRow(world.sql)).toEqual({ cash: '99300', reserved: '1300', open: 1 })
  await world.report(tradeReport(successor, 't3', '13'))
  expect(await orderRow(world.sql, successor)).toMatchObject({ status: 'filled', cum: '20' })
})

test('a late fill reaches the successor of a successor too', async () => {
  const order = await world.live()
  const second = await replacing(order)
  await world.report(replaced(order, second))
  const third = await world.replace(second, { quantity: parseAmount('30') })
  const event = { type: 'replaced', successorClientOrderId: third, venueOrderId: 'v3' } as const
  await world.report({ account, clientOrderId: second, event }, fill(order, 't2', '3'))
  expect(await orderRow(world.sql, third)).toMatchObject({ cum: '7', venue: 'v3' })
})

test('what is told of a successor before it has succeeded comes again, and counts then', async () => {
  const order = await world.live()
  const successor = await replacing(order)
  const early = tradeReport(successor, 't9', '2')
  expect(await fate(world.reports.apply(early))).toBe('venue.unavailable')
  expect(await quarantine(world.sql)).toEqual([])
  await world.report(replaced(order, successor), early)
  expect(await orderRow(world.sql, successor)).toMatchObject({ cum: '6' })
})

test('reports of several accounts share a commit, and one that fails fails alone', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  const mine = await world.live()
  const theirs = await world.place({ account: 'desk-2' })
  await world.intend(theirs.id, 'desk-2')
  const other = { ...fill(theirs, 't2', '5'), account: 'desk-2' }
  // No column holds a trade of a time beyond the year 294,276.
  const poisoned = fill(mine, 't3', '1', '100', Number.MAX_SAFE_INTEGER)
  const fates = await Promise.allSettled(
    [fill(mine, 't1', '5'), poisoned, other].map((one) => world.reports.apply(one)),
  )
  expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await orderRow(world.sql, mine.id)).toMatchObject({ cum: '5' })
  expect(await orderRow(world.sql, theirs.id)).toMatchObject({ cum: '5' })
})
