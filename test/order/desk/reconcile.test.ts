import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import type { Venue } from '#core/order/venue.ts'
import { orderTerms } from '../venue/order-terms.ts'
import { deskAtVenue } from './desk-at-venue.ts'
import {
  account,
  accountRow,
  fillsCursor,
  orderRow,
  positionRow,
  quarantine,
  recordsOf,
  setSwitch,
} from './desk-rows.ts'
import { fate, tradeReport } from './desk-world.ts'

const desk = await deskAtVenue()
const { world, atVenue, reconcile } = desk

const shares = parseAmount
const signal = new AbortController().signal
const frozen = async () =>
  (
    await world.sql<{ key: string }[]>`
    select key from postern_trading_state where state = 'REDUCING'`
  ).map(({ key }) => key)

test('an account without a venue, or that is not there, is refused and not called healthy', async () => {
  const reads = reconcileReads(world.workerDesk.sql)
  const options = { desk: world.workerDesk, reports: world.reports, venues: new Map(), reads }
  expect(await fate(reconcileAccount(options, { account, day: undefined, signal }))).toBe(
    'venue.unavailable',
  )
  const nobody = { account: 'nobody', day: undefined, signal }
  expect(await fate(reconcileAccount(options, nobody))).toBe('account.not_found')
})

test('an account that agrees is left alone, without a record', async () => {
  await atVenue()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  await desk.told()
  expect(await reconcile()).toEqual({
    account,
    replayed: 0,
    checked: { orders: 1, fills: 1, positions: 1 },
    mismatches: [],
    frozen: [],
  })
  expect(await recordsOf(world.sql, `account/${account}`)).toEqual([])
})

test('fills that were missed are replayed, once, and nothing is frozen', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  desk.venue.trade('AAPL', shares('6'), shares('99'))
  const result = await reconcile()
  expect(result).toMatchObject({
    replayed: 2,
    mismatches: [
      { class: 'MISSING_LOCAL', symbol: 'AAPL', healed: true },
      { class: 'MISSING_LOCAL', symbol: 'AAPL', healed: true },
    ],
    frozen: [],
  })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', cum: '10' })
  expect(await accountRow(world.sql)).toMatchObject({ cash: '99006' })
  expect(await recordsOf(world.sql, `account/${account}`)).toMatchObject([
    { type: 'account.reconciled', outcome: 'ok', details: { replayed: 2 } },
  ])
  expect(await reconcile()).toMatchObject({ replayed: 0, mismatches: [], checked: { fills: 0 } })
})

test.each(['canceled', 'expired'] as const)('an end that was missed is taken: %s', async (end) => {
  const order = await atVenue()
  desk.venue.disconnect()
  if (end === 'expired') desk.venue.expire(order.client_order_id)
  else
    await desk.venue.cancel(
      { account, clientOrderId: order.client_order_id, venueOrderId: '' },
      signal,
    )
  expect(await reconcile()).toMatchObject({
    mismatches: [{ class: 'STATE_MISMATCH', healed: true, order_id: order.id }],
    frozen: [],
  })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: end, reserved: '1000' })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test('a replacement that was missed is taken, with the successor’s own id at the venue', async () => {
  const order = await atVenue()
  const successor = await world.replace(order.id, { quantity: shares('20') })
  desk.venue.disconnect()
  await world.runJobs(desk.venue)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'pending_replace' })
  desk.venue.trade('AAPL', shares('5'), shares('100'))
  expect(await reconcile()).toMatchObject({ frozen: [] })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced' })
  expect(await orderRow(world.sql, successor)).toMatchObject({
    ...{ status: 'partially_filled', cum: '5' },
    venue: desk.venue.orders.get(successor)?.venueOrderId,
  })
})

test('an end that cannot be here is no healed state: its symbol is frozen', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  // Replaced at the venue, which nobody here has asked for.
  const successor = orderTerms({ quantity: shares('20') })
  const reference = { account, clientOrderId: order.client_order_id, venueOrderId: undefined }
  await desk.venue.replace(reference, successor, signal)
  const result = await reconcile()
  expect(result.mismatches).toContainEqual(
    expect.objectContaining({ class: 'STATE_MISMATCH', order_id: order.id, healed: false }),
  )
  expect(await frozen()).toEqual(['AAPL'])
  expect(await quarantine(world.sql)).toEqual(['INVALID_TRANSITION'])
})

test('an open order at the venue that nobody here made freezes its symbol', async () => {
  await desk.venue.submit(orderTerms({ symbol: 'MSFT' }), signal)
  await desk.told()
  expect(await reconcile()).toMatchObject({
    mismatches: [{ class: 'MISSING_LOCAL', symbol: 'MSFT', healed: false }],
    frozen: ['MSFT'],
  })
  expect(await frozen()).toEqual(['MSFT'])
  expect(await recordsOf(world.sql, 'symbol/MSFT')).toMatchObject([
    { type: 'trading.state_changed', details: { state: 'REDUCING' } },
  ])
  expect(await recordsOf(world.sql, `account/${account}`)).toMatchObject([
    { type: 'order.quarantined' },
    { type: 'account.reconciled', outcome: 'failed' },
  ])
})

test('an order that the venue does not have freezes its symbol', async () => {
  const order = await world.live()
  expect(await reconcile()).toMatchObject({
    mismatches: [{ class: 'MISSING_BROKER', symbol: 'AAPL', order_id: order.id, healed: false }],
    frozen: ['AAPL'],
  })
})

test('an intent whose call never arrived is no mismatch: its job looks it up', async () => {
  const order = await world.place()
  await world.intend(order.id)
  expect(await reconcile()).toMatchObject({ mismatches: [], frozen: [] })
})

test('a fill of somebody else’s order is not booked, and its symbol is frozen', async () => {
  desk.venue.disconnect()
  await desk.venue.submit(orderTerms({ symbol: 'AAPL' }), signal)
  desk.venue.trade('AAPL', shares('10'), shares('100'))
  const result = await reconcile()
  expect(result).toMatchObject({ replayed: 0, frozen: ['AAPL'] })
  expect(result.mismatches.map((one) => one.class)).toEqual(['MISSING_LOCAL', 'QTY_MISMATCH'])
  expect(await positionRow(world.sql)).toBeUndefined()
})

test('a fill that has another quantity or price at the venue freezes its symbol', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  const [fill] = await Array.fromAsync(desk.venue.listFills(account, undefined))
  const { tradeId = '' } = fill?.trade ?? {}
  await world.report(tradeReport(order.client_order_id, tradeId, '4', { price: '101' }))
  expect(await reconcile()).toMatchObject({
    mismatches: [{ class: 'PRICE_MISMATCH', order_id: order.id, healed: false }],
    frozen: ['AAPL'],
  })
})

test('a fill that is more than was ordered is kept for a person, and its symbol frozen', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  await world.report(tradeReport(order.client_order_id, 'elsewhere', '8'))
  desk.venue.trade('AAPL', shares('10'), shares('100'))
  const { replayed, frozen: symbols } = await reconcile()
  expect({ replayed, symbols }).toEqual({ replayed: 0, symbols: ['AAPL'] })
  // However often it is looked at, it is one report.
  expect(await quarantine(world.sql)).toEqual(['OVERFILL'])
})

test('a halt stays a halt when its symbol would be frozen', async () => {
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  await desk.venue.submit(orderTerms(), signal)
  await reconcile()
  const [row] = await world.sql`select state from postern_trading_state`
  expect(row?.['state']).toBe('HALTED')
})

test('what is under way while it is looked at freezes nothing', async () => {
  await atVenue({ quantity: shares('100') })
  // Every look finds another fill that the desk has not been told of yet.
  const busy: Venue = {
    ...desk.venue,
    positions(name) {
      desk.venue.trade('AAPL', shares('1'), shares('100'))
      return desk.venue.positions(name)
    },
  }
  expect((await reconcile({ at: busy })).frozen).toEqual([])
  await desk.told()
  expect(await frozen()).toEqual([])
})

test('a day’s reconciliation compares all fills of that day, and leaves the rest to the next', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  await reconcile()
  const known = await fillsCursor(world.sql)
  desk.venue.trade('AAPL', shares('6'), shares('100'))
  expect(await reconcile({ day: '2024-02-29' })).toMatchObject({ checked: { fills: 0 } })
  expect(await fillsCursor(world.sql)).toBe(known ?? '')
  expect(await reconcile()).toMatchObject({ replayed: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled' })
  const day = '2026-11-24'
  expect(await reconcile({ day })).toMatchObject({
    ...{ reconciliation_date: day, replayed: 0, checked: { fills: 2 } },
  })
})

test('looked at from two processes at once, a fill is replayed once', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  await Promise.all([reconcile(), reconcile()])
  expect(await orderRow(world.sql, order.id)).toMatchObject({ cum: '4' })
  expect(await accountRow(world.sql)).toMatchObject({ cash: '99600' })
})
