import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { enterOrder } from '#core/order/venue/paper-order.ts'
import { placeOrders } from '#core/order/venue/postgres-paper-book.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { paperFile } from './paper-file.ts'
import { closeMs, marketAt, openedMs } from './paper-world.ts'
import { reportLog } from './report-log.ts'

const shares = parseAmount
const dollars = parseAmount

const { world, venue, submit, viewOf, statusOf, fills } = await paperFile()

test('of a cancel and a fill at once one wins, and the reports say the same as the book', async () => {
  const orders = Array.from({ length: 40 }, () => orderTerms({ quantity: shares('1') }))
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  await Promise.all(orders.map((terms) => submit(terms)))
  const trading = world.trade(venue, {
    symbol: 'AAPL',
    shares: shares('40'),
    price: dollars('100'),
  })
  const canceling = orders.map((terms) => venue.cancel(referenceTo(terms), noSignal))
  const [results] = await Promise.all([Promise.all(canceling), trading])
  const ends = await log.until((entries) => (entries.length >= 80 ? entries.slice(40) : undefined))
  expect(ends).toHaveLength(40)
  for (const [at, terms] of orders.entries()) {
    const isCanceled = results[at] === 'accepted'
    expect(await statusOf(terms)).toBe(isCanceled ? 'canceled' : 'filled')
    expect(log.eventsOf(terms.clientOrderId).at(-1)?.type).toBe(isCanceled ? 'canceled' : 'trade')
  }
  await stream.close()
})

test('a replacement carries on what was filled, and trades no more than the rest', async () => {
  const first = orderTerms({ quantity: shares('10') })
  await submit(first)
  await world.trade(venue, { symbol: 'AAPL', shares: shares('4'), price: dollars('100') })
  const small = orderTerms({ quantity: shares('4') })
  expect(await venue.replace(referenceTo(first), small, noSignal)).toMatchObject({
    kind: 'rejected',
    code: 'QUANTITY_NOT_ABOVE_FILLED',
  })
  world.markets.set('AAPL', marketAt('98', { shares: '5' }))
  const second = orderTerms({ quantity: shares('12') })
  expect(await venue.replace(referenceTo(first), second, noSignal)).toMatchObject({
    kind: 'accepted',
  })
  expect(await viewOf(first)).toMatchObject({ status: 'replaced', cumQuantity: shares('4') })
  expect(await viewOf(second)).toMatchObject({
    status: 'partially_filled',
    cumQuantity: shares('9'),
  })
  await world.trade(venue, { symbol: 'AAPL', shares: shares('100'), price: dollars('99') })
  expect(await viewOf(second)).toMatchObject({ status: 'filled', cumQuantity: shares('12') })
  const traded = (await fills()).map(({ trade }) => trade.quantity)
  expect(traded).toEqual([shares('4'), shares('5'), shares('3')])
  expect(await venue.positions(testAccount)).toEqual([{ symbol: 'AAPL', quantity: shares('12') }])
})

test('of two replacements and a cancel at once exactly one is accepted', async () => {
  for (let round = 0; round < 10; round += 1) {
    const first = orderTerms()
    await submit(first)
    const successors = [
      orderTerms({ quantity: shares('11') }),
      orderTerms({ quantity: shares('12') }),
    ]
    const results = await Promise.all([
      ...successors.map((terms) => venue.replace(referenceTo(first), terms, noSignal)),
      venue.cancel(referenceTo(first), noSignal),
    ])
    const accepted = results.filter((result) =>
      typeof result === 'string' ? result === 'accepted' : result.kind === 'accepted',
    )
    expect(accepted).toHaveLength(1)
    for (const { clientOrderId, venueOrderId } of await venue.listOpen(testAccount)) {
      await venue.cancel({ account: testAccount, clientOrderId, venueOrderId }, noSignal)
    }
  }
})

test('a report that is committed later has a later id: no reader passes it by', async () => {
  const log = reportLog()
  const stream = await world.open().stream(log.handlers)
  const [first, second] = [orderTerms(), orderTerms()]
  const entry = { venueOrderId: Bun.randomUUIDv7(), clockMs: openedMs, sessionCloseMs: closeMs }
  const order = enterOrder(first, { ...entry, latencyMs: 0 })
  const ack = { type: 'ack', venueOrderId: order.venueOrderId } as const
  const slow = await world.sql.reserve()
  await slow`begin`
  await placeOrders(slow, [{ order, events: [ack] }])
  const placed = submit(second)
  // Either it waits for the lock, or it has passed and a reader has seen it.
  await Promise.race([lockAwaited(), log.event(second.clientOrderId, 'ack')])
  expect(log.entries).toEqual([])
  await slow`commit`
  slow.release()
  expect(await placed).toMatchObject({ kind: 'accepted' })
  await log.event(first.clientOrderId, 'ack')
  await log.event(second.clientOrderId, 'ack')
  await stream.close()
})

async function lockAwaited(): Promise<void> {
  for (;;) {
    const waiting = await world.sql`
      select from pg_locks where locktype = 'advisory' and not granted`
    if (waiting.length > 0) return
  }
}

test('losses on purpose: an order that is placed unseen, and one that never was', async () => {
  const log = reportLog()
  const silent = world.open({ faults: { seed: 1, loseAck: 1 } })
  const stream = await silent.stream(log.handlers)
  world.markets.set('AAPL', marketAt('99'))
  const placed = orderTerms()
  expect(await submit(placed, silent)).toMatchObject({ kind: 'unknown' })
  expect(await log.event(placed.clientOrderId, 'trade')).toMatchObject({ type: 'trade' })
  expect(log.eventsOf(placed.clientOrderId).map(({ type }) => type)).toEqual(['trade'])
  const never = orderTerms()
  const losing = world.open({ faults: { seed: 1, loseSubmit: 1 } })
  expect(await submit(never, losing)).toMatchObject({ kind: 'unknown' })
  expect(await viewOf(never)).toBeUndefined()
  await stream.close()
})

test('faults of a seed double and delay reports, and lose none', async () => {
  const log = reportLog()
  const faulty = world.open({ faults: { seed: 9, duplicateReport: 0.5, delayMs: [0, 20] } })
  const stream = await faulty.stream(log.handlers)
  world.markets.set('AAPL', marketAt('99'))
  const orders = Array.from({ length: 50 }, () => orderTerms())
  await Promise.all(orders.map((terms) => submit(terms, faulty)))
  await log.until(() =>
    orders.every((terms) => {
      const types = log.eventsOf(terms.clientOrderId).map(({ type }) => type)
      return types.includes('ack') && types.includes('trade')
    })
      ? true
      : undefined,
  )
  await stream.close()
  expect(log.entries.length).toBeGreaterThan(100)
  const isPassed = (terms: OrderTerms) => log.eventsOf(terms.clientOrderId)[0]?.type === 'trade'
  expect(orders.some(isPassed)).toBe(true)
})
