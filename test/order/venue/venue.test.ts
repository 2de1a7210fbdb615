import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import type { VenueFill } from '#core/order/venue.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { reportLog } from './report-log.ts'
import { type VenueWorld, venueWorlds } from './venue-worlds.ts'

/** The first start of Postgres takes seconds where something else runs. */
setDefaultTimeout(30_000)

const shares = parseAmount
const dollars = parseAmount

describe.each(venueWorlds)('%s', (_name, open) => {
  let world: VenueWorld

  beforeAll(async () => {
    world = await open()
  })

  afterAll(async () => {
    await world.close()
  })

  /** Placed and resting; returns the venue's id of it. */
  async function rest(terms: OrderTerms): Promise<string> {
    const placed = await world.venue.submit(terms, noSignal)
    if (placed.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(placed)}`)
    return placed.venueOrderId
  }

  async function fillsOf(account: string, since?: string): Promise<VenueFill[]> {
    return await Array.fromAsync(world.venue.listFills(account, since))
  }

  /** Every order of this test, out of the way of the next. */
  async function clear(): Promise<void> {
    for (const { clientOrderId, venueOrderId } of await world.venue.listOpen(testAccount)) {
      const reference = { account: testAccount, clientOrderId, venueOrderId }
      await world.venue.cancel(reference, noSignal)
    }
  }

  test('an order that it cannot work is rejected with a code, and it has never seen it', async () => {
    const terms = orderTerms({ type: 'trailing_stop', limitPrice: undefined })
    expect(await world.venue.submit(terms, noSignal)).toMatchObject({
      kind: 'rejected',
      code: expect.stringMatching(/./),
    })
    const found = await world.venue.findByClientOrderId(testAccount, terms.clientOrderId)
    expect(found).toBeUndefined()
  })

  test('an order that its caller gave up before it was sent is not placed', async () => {
    const terms = orderTerms()
    const signal = AbortSignal.abort()
    await expect(world.venue.submit(terms, signal)).rejects.toMatchObject({
      code: 'venue.unavailable',
    })
    const found = await world.venue.findByClientOrderId(testAccount, terms.clientOrderId)
    expect(found).toBeUndefined()
  })

  test('nothing is found of an order that it has never seen', async () => {
    expect(await world.venue.findByClientOrderId(testAccount, 'never-sent')).toBeUndefined()
    const terms = orderTerms()
    expect(await world.venue.cancel(referenceTo(terms), noSignal)).toBe('not_found')
    expect(await world.venue.replace(referenceTo(terms), orderTerms(), noSignal)).toMatchObject({
      kind: 'rejected',
    })
  })

  test('an accepted order is open under both of its ids', async () => {
    const terms = orderTerms()
    const venueOrderId = await rest(terms)
    const view = {
      clientOrderId: terms.clientOrderId,
      venueOrderId,
      status: 'new',
      symbol: 'AAPL',
      quantity: shares('10'),
      cumQuantity: 0n,
      replacedBy: undefined,
    }
    const found = await world.venue.findByClientOrderId(testAccount, terms.clientOrderId)
    expect(found).toEqual({ ...view, status: 'new' })
    expect(await world.venue.listOpen(testAccount)).toEqual([{ ...view, status: 'new' }])
    await clear()
  })

  test('an order sent twenty times at once is one order', async () => {
    const terms = orderTerms()
    const results = await Promise.all(
      Array.from({ length: 20 }, () => world.venue.submit(terms, noSignal)),
    )
    const venueOrderId = await rest(terms)
    expect(results).toEqual(results.map(() => ({ kind: 'accepted', venueOrderId })))
    expect(await world.venue.listOpen(testAccount)).toHaveLength(1)
    await clear()
  })

  test('an order whose answer was lost is found, and sending it again gives the same one', async () => {
    const terms = orderTerms()
    expect(await world.submitLosingAnswer(terms)).toMatchObject({ kind: 'unknown' })
    const found = await world.venue.findByClientOrderId(testAccount, terms.clientOrderId)
    expect(found).toMatchObject({ clientOrderId: terms.clientOrderId, status: 'new' })
    expect(await rest(terms)).toBe(found?.venueOrderId ?? '')
    expect(await world.venue.listOpen(testAccount)).toHaveLength(1)
    await clear()
  })

  test('the stream tells of acknowledgement, each trade and the end', async () => {
    const log = reportLog()
    const stream = await world.venue.stream(log.handlers)
    const terms = orderTerms({ quantity: shares('10') })
    const venueOrderId = await rest(terms)
    expect(await log.event(terms.clientOrderId, 'ack')).toEqual({ type: 'ack', venueOrderId })
    await world.trade('AAPL', shares('4'), dollars('99.5'))
    await world.trade('AAPL', shares('100'), dollars('99.25'))
    const trades = await log.until(() => {
      const told = log.eventsOf(terms.clientOrderId).filter((event) => event.type === 'trade')
      return told.length >= 2 ? told.map(({ trade }) => trade) : undefined
    })
    expect(trades.map(({ quantity, price }) => [quantity, price])).toEqual([
      [shares('4'), dollars('99.5')],
      [shares('6'), dollars('99.25')],
    ])
    expect(new Set(trades.map(({ tradeId }) => tradeId)).size).toBe(2)
    const canceled = orderTerms()
    await rest(canceled)
    await world.venue.cancel(referenceTo(canceled), noSignal)
    expect(await log.event(canceled.clientOrderId, 'canceled')).toMatchObject({ type: 'canceled' })
    await stream.close()
  })

  test('fills come oldest first under the trade ids of the stream, and positions are their sum', async () => {
    const log = reportLog()
    const stream = await world.venue.stream(log.handlers)
    const before = await fillsOf(testAccount)
    const buy = orderTerms({ symbol: 'MSFT', quantity: shares('5') })
    const sell = orderTerms({
      symbol: 'MSFT',
      side: 'sell',
      quantity: shares('7'),
      limitPrice: dollars('120'),
    })
    await rest(buy)
    await rest(sell)
    await world.trade('MSFT', shares('2'), dollars('100'))
    await world.trade('MSFT', shares('3'), dollars('98.99'))
    await world.trade('MSFT', shares('7'), dollars('120.01'))
    const fills = await fillsOf(testAccount, before.at(-1)?.cursor)
    expect(
      fills.map(({ clientOrderId, symbol, side, trade }) => [
        ...[clientOrderId, symbol, side],
        ...[trade.quantity, trade.price],
      ]),
    ).toEqual([
      [buy.clientOrderId, 'MSFT', 'buy', shares('2'), dollars('100')],
      [buy.clientOrderId, 'MSFT', 'buy', shares('3'), dollars('98.99')],
      [sell.clientOrderId, 'MSFT', 'sell', shares('7'), dollars('120.01')],
    ])
    const told = await log.until(() => {
      const events = [buy, sell].flatMap((terms) => log.eventsOf(terms.clientOrderId))
      const trades = events.flatMap((event) => (event.type === 'trade' ? [event.trade] : []))
      return trades.length < 3 ? undefined : trades
    })
    const byId = (left: { tradeId: string }, right: { tradeId: string }) =>
      left.tradeId < right.tradeId ? -1 : 1
    expect(told.toSorted(byId)).toEqual(fills.map(({ trade }) => trade).toSorted(byId))
    const positions = await world.venue.positions(testAccount)
    expect(positions).toContainEqual({ symbol: 'MSFT', quantity: -shares('2') })
    // From behind the first of them, and from behind the last.
    expect(await fillsOf(testAccount, fills.at(0)?.cursor)).toEqual(fills.slice(1))
    expect(await fillsOf(testAccount, fills.at(-1)?.cursor)).toEqual([])
    await stream.close()
  })

  test('a cancelled or filled order cannot be cancelled or replaced any more', async () => {
    const canceled = orderTerms()
    const filled = orderTerms({ quantity: shares('1') })
    await rest(canceled)
    expect(await world.venue.cancel(referenceTo(canceled), noSignal)).toBe('accepted')
    await rest(filled)
    await world.trade('AAPL', shares('1'), dollars('100'))
    for (const ended of [canceled, filled]) {
      expect(await world.venue.cancel(referenceTo(ended), noSignal)).toBe('not_cancelable')
      const successor = orderTerms({ quantity: shares('20') })
      const replaced = await world.venue.replace(referenceTo(ended), successor, noSignal)
      expect(replaced).toMatchObject({ kind: 'rejected' })
      const found = await world.venue.findByClientOrderId(testAccount, successor.clientOrderId)
      expect(found).toBeUndefined()
    }
    expect(await world.venue.listOpen(testAccount)).toEqual([])
  })

  test('a replacement is an order of its own that names and ends the one before', async () => {
    const log = reportLog()
    const stream = await world.venue.stream(log.handlers)
    const first = orderTerms({ quantity: shares('10') })
    const firstId = await rest(first)
    const second = orderTerms({ quantity: shares('12'), limitPrice: dollars('101') })
    const replaced = await world.venue.replace(referenceTo(first, firstId), second, noSignal)
    if (replaced.kind !== 'accepted') throw new Error(JSON.stringify(replaced))
    expect(replaced.venueOrderId).not.toBe(firstId)
    expect(await log.event(first.clientOrderId, 'replaced')).toEqual({
      type: 'replaced',
      successorClientOrderId: second.clientOrderId,
      venueOrderId: replaced.venueOrderId,
    })
    expect(await world.venue.findByClientOrderId(testAccount, first.clientOrderId)).toMatchObject({
      status: 'replaced',
      replacedBy: second.clientOrderId,
    })
    expect(await world.venue.findByClientOrderId(testAccount, second.clientOrderId)).toMatchObject({
      status: 'new',
      quantity: shares('12'),
    })
    // Said again it is still the one replacement.
    expect(await world.venue.replace(referenceTo(first, firstId), second, noSignal)).toEqual(
      replaced,
    )
    expect(await world.venue.listOpen(testAccount)).toHaveLength(1)
    await clear()
    await stream.close()
  })

  test('a report that its handler could not take comes again', async () => {
    let refusals = 2
    const log = reportLog(async () => {
      refusals -= 1
      if (refusals >= 0) throw new Error('not now')
    })
    const stream = await world.venue.stream(log.handlers)
    const terms = orderTerms()
    const venueOrderId = await rest(terms)
    expect(await log.event(terms.clientOrderId, 'ack')).toEqual({ type: 'ack', venueOrderId })
    expect(refusals).toBeLessThan(0)
    await clear()
    await stream.close()
  })

  test('a stream says that it was cut and mended, and goes on telling', async () => {
    const log = reportLog()
    const stream = await world.venue.stream(log.handlers)
    await world.cutStream()
    await log.until((entries) => entries.find((entry) => entry === 'disconnect'))
    await world.mendStream()
    await log.until((entries) => entries.find((entry) => entry === 'reconnect'))
    const terms = orderTerms()
    await rest(terms)
    await log.event(terms.clientOrderId, 'ack')
    expect(log.entries.filter((entry) => typeof entry === 'string')).toEqual([
      'disconnect',
      'reconnect',
    ])
    await clear()
    await stream.close()
  })

  test('amounts keep every digit', async () => {
    const terms = orderTerms({
      symbol: 'PENNY',
      quantity: shares('123456789'),
      limitPrice: dollars('0.1235'),
    })
    await rest(terms)
    await world.trade('PENNY', shares('123456789'), dollars('0.1234'))
    const fill = (await fillsOf(testAccount)).at(-1)
    expect(fill?.trade).toMatchObject({
      quantity: shares('123456789'),
      price: dollars('0.1234'),
    })
  })

  test('its clock says when the session ends', async () => {
    const clock = await world.venue.clock(testAccount)
    expect(clock.isOpen).toBe(true)
    expect(clock.nextCloseMs).toBeGreaterThan(clock.nowMs)
    expect(clock.nextOpenMs).toBeGreaterThan(clock.nextCloseMs)
  })
})
