import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { reportOfUpdate } from '#core/order/venue/alpaca-report.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { reportLog } from './report-log.ts'
import { silentServer } from './silent-server.ts'
import { stubbedAlpaca } from './stubbed-alpaca.ts'

const alpaca = stubbedAlpaca()
const { open } = alpaca

const document = {
  id: 'venue-1',
  client_order_id: 'client-1',
  status: 'partially_filled',
  symbol: 'AAPL',
  qty: '10',
  filled_qty: '4.5',
  replaced_by: null,
  a_field_of_next_year: { nested: true },
}
const trade = { price: '105.8988475', qty: '1.5', timestamp: '2022-04-19T17:45:05.024916716Z' }

test.each([
  ['no update', {}],
  ['no order', { event: 'new' }],
  ['a quantity that is a number', { event: 'new', order: { ...document, filled_qty: 4.5 } }],
  ['ten decimals', { event: 'fill', order: document, ...trade, price: '1.0123456789' }],
  ['a fill without a price', { event: 'fill', order: document, ...trade, price: null }],
  ['a fill without a quantity', { event: 'fill', order: document, ...trade, qty: undefined }],
  ['a fill without a time', { event: 'fill', order: document, ...trade, timestamp: 'soon' }],
  ['a replacement without a successor', { event: 'replaced', order: document }],
])('%s is unreadable', (_name, data) => {
  expect(reportOfUpdate(data, testAccount)).toBe('unreadable')
})

test.each([
  'pending_new',
  'pending_cancel',
  'pending_replace',
  'stopped',
  'calculated',
  'of_next_year',
])('%s changes nothing for a desk', (event) => {
  expect(reportOfUpdate({ event, order: document }, testAccount)).toBe('nothing')
})

test.each([
  ['new', { type: 'ack', venueOrderId: 'venue-1' }],
  ['accepted', { type: 'ack', venueOrderId: 'venue-1' }],
  ['canceled', { type: 'canceled', reason: 'partially_filled' }],
  ['expired', { type: 'expired' }],
  ['done_for_day', { type: 'done_for_day' }],
  ['suspended', { type: 'suspended' }],
  ['rejected', { type: 'reject', code: 'rejected', raw: 'rejected: AAPL partially_filled' }],
  ['order_cancel_rejected', { type: 'cancel_rejected', code: 'order_cancel_rejected' }],
  ['order_replace_rejected', { type: 'replace_rejected', code: 'order_replace_rejected' }],
] as const)('%s is reported as %o', (event, expected) => {
  expect(reportOfUpdate({ event, order: document }, testAccount)).toEqual({
    account: testAccount,
    clientOrderId: 'client-1',
    event: expected,
  })
})

test.each(['fill', 'partial_fill'])(
  '%s is a trade, known by its order and what that had filled',
  (event) => {
    const data = { event, order: document, ...trade, execution_id: 'an id of the stream alone' }
    expect(reportOfUpdate(data, testAccount)).toMatchObject({
      event: {
        type: 'trade',
        trade: {
          tradeId: 'venue-1:4.5',
          quantity: parseAmount('1.5'),
          price: parseAmount('105.8988475'),
          fee: 0n,
          at: 1_650_390_305_024,
        },
      },
    })
  },
)

test('a stream that does not open, or refuses the keys, is an outage', async () => {
  const log = reportLog()
  const refused = open({ credentials: async () => ({ keyId: 'wrong', secretKey: 'wrong' }) })
  await expect(refused.stream(log.handlers)).rejects.toMatchObject({ code: 'venue.unavailable' })
  alpaca.stub.cutStream()
  await expect(open().stream(log.handlers)).rejects.toMatchObject({ code: 'venue.unavailable' })
  expect(log.entries).toEqual([])
})

test('a server that says nothing counts as gone', async () => {
  const server = silentServer()
  const stream = open({ baseUrl: server.url, silenceMs: 60 }).stream(reportLog().handlers)
  await expect(stream).rejects.toMatchObject({ code: 'venue.unavailable' })
  server.close()
})

test('a server that answers pings is there, however little it tells', async () => {
  const log = reportLog()
  const stream = await open({ silenceMs: 900 }).stream(log.handlers)
  // Six pings are twice the silence that it bears.
  await alpaca.stub.pinged(6)
  expect(log.entries).toEqual([])
  await stream.close()
})

test('an update that cannot be read asks for a reconciliation, and those after it are told', async () => {
  const log = reportLog()
  const stream = await open().stream(log.handlers)
  alpaca.stub.send({ stream: 'trade_updates', data: { event: 'fill' } })
  await log.until((entries) => entries.find((entry) => entry === 'reconnect'))
  alpaca.stub.send({ stream: 'trade_updates', data: { event: 'new', order: document } })
  await log.event('client-1', 'ack')
  expect(log.entries.slice(0, 2)).toEqual(['disconnect', 'reconnect'])
  await stream.close()
})

test('an update told twice, late, is told twice: it is for the desk to know it', async () => {
  const log = reportLog()
  const stream = await open().stream(log.handlers)
  const update = { stream: 'trade_updates', data: { event: 'fill', order: document, ...trade } }
  alpaca.stub.send(update)
  alpaca.stub.send({ stream: 'trade_updates', data: { event: 'canceled', order: document } })
  alpaca.stub.send(update)
  await log.until((entries) => (entries.length === 3 ? true : undefined))
  expect(log.eventsOf('client-1').map(({ type }) => type)).toEqual(['trade', 'canceled', 'trade'])
  await stream.close()
})

test('a replacement names its successor as the desk knows it, however long the venue takes', async () => {
  const venue = open()
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  const [first, second] = [orderTerms(), orderTerms({ quantity: parseAmount('12') })]
  await alpaca.stub.venue.submit(first, noSignal)
  await log.event(first.clientOrderId, 'ack')
  // The successor's name has to be asked for, and the venue is away at first.
  alpaca.stub.plan(/^GET/, { kind: 'status', status: 503 }, { kind: 'status', status: 503 })
  await alpaca.stub.venue.replace(referenceTo(first), second, noSignal)
  expect(await log.event(first.clientOrderId, 'replaced')).toMatchObject({
    successorClientOrderId: second.clientOrderId,
  })
  await stream.close()
})

test('what happened while the stream was cut is not told, and can be read', async () => {
  const venue = open()
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  const terms = orderTerms()
  await venue.submit(terms, noSignal)
  await log.event(terms.clientOrderId, 'ack')
  alpaca.stub.cutStream()
  await log.until((entries) => entries.find((entry) => entry === 'disconnect'))
  alpaca.stub.venue.trade('AAPL', parseAmount('4'), parseAmount('100'))
  alpaca.stub.mendStream()
  await log.until((entries) => entries.find((entry) => entry === 'reconnect'))
  alpaca.stub.venue.trade('AAPL', parseAmount('6'), parseAmount('100'))
  const told = await log.event(terms.clientOrderId, 'trade')
  const fills = await Array.fromAsync(venue.listFills(testAccount, undefined))
  expect(fills.map(({ trade: { quantity } }) => quantity)).toEqual([
    parseAmount('4'),
    parseAmount('6'),
  ])
  expect(told.trade).toEqual(fills[1]?.trade ?? told.trade)
  await stream.close()
})
