import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { type StubFault, stubKeys } from './alpaca-stub.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { stubbedAlpaca } from './stubbed-alpaca.ts'

const shares = parseAmount
const status = (code: number, body: object = {}): StubFault => ({
  kind: 'status',
  status: code,
  body,
})
const refusal = (code: number, fault: number): StubFault =>
  status(code, { code: fault, message: 'as documented' })

const alpaca = stubbedAlpaca()
const { open } = alpaca

const submit = (terms: OrderTerms = orderTerms(), venue = open()) => venue.submit(terms, noSignal)

test.each(['http://paper-api.alpaca.markets', 'http://127.0.0.1.example.com', 'ftp://127.0.0.1'])(
  'keys do not go to %s',
  (baseUrl) => {
    expect(() => open({ baseUrl })).toThrow('https')
  },
)

test.each([
  ['insufficient buying power', 403, 40310000],
  ['a sub-penny price', 422, 42210000],
  ['an invalid field', 422, 40010001],
  ['a malformed body', 400, 40010000],
])('%s is a rejection with the code of the venue', async (_name, code, fault) => {
  alpaca.stub.plan(/^POST/, refusal(code, fault))
  expect(await submit()).toEqual({
    kind: 'rejected',
    code: String(fault),
    raw: JSON.stringify({ code: fault, message: 'as documented' }),
  })
})

test.each([
  ['500', status(500)],
  ['502 without JSON', { kind: 'status', status: 502 }],
  [
    'a redirect, which is not followed',
    { kind: 'status', status: 307, headers: { location: '/v2/clock' } },
  ],
  ['an answer that breaks off', { kind: 'cut-answer' }],
  ['silence', { kind: 'hang' }],
  ['an answer that is not JSON', { kind: 'text', text: '<html>' }],
  ['an answer without an order', { kind: 'text', text: '{"status":"new"}' }],
] as const)(
  '%s leaves a submitted order unknown, and a read without an answer',
  async (_name, fault) => {
    const venue = open({ requestMsMax: 200 })
    alpaca.stub.plan(/./, fault, fault, fault)
    expect(await submit(orderTerms(), venue)).toMatchObject({ kind: 'unknown' })
    await expect(venue.findByClientOrderId(testAccount, 'any')).rejects.toMatchObject({
      code: 'venue.unavailable',
    })
    await expect(venue.account(testAccount)).rejects.toMatchObject({ code: 'venue.unavailable' })
  },
)

test('an answer without end is not read to its end', async () => {
  alpaca.stub.plan(/^GET/, { kind: 'text', text: ' '.repeat(5 * 1_048_576) })
  await expect(open().clock(testAccount)).rejects.toMatchObject({ code: 'venue.unavailable' })
})

test('a caller that gives up while it waits has an unknown order', async () => {
  alpaca.stub.plan(/^POST/, { kind: 'hang' })
  const giving = new AbortController()
  const submitted = open().submit(orderTerms(), giving.signal)
  // Once the alpaca.stub has the request, the order may be anywhere.
  while (alpaca.stub.requests.length === 0) await new Promise(setImmediate)
  giving.abort()
  expect(await submitted).toMatchObject({ kind: 'unknown' })
})

test('with nobody listening nothing was sent, and that is an outage', async () => {
  const venue = open({ baseUrl: 'http://127.0.0.1:1' })
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject({ code: 'venue.unavailable' })
  await expect(venue.cancel(referenceTo(orderTerms(), 'any'), noSignal)).rejects.toMatchObject({
    code: 'venue.unavailable',
  })
})

test('429 is an outage that says when to come again, and nothing is sent until then', async () => {
  const clock = { ms: 0 }
  const venue = open({ now: () => clock.ms })
  alpaca.stub.plan(/^POST/, { kind: 'status', status: 429, headers: { 'retry-after': '7' } })
  const limited = { code: 'venue.unavailable', retryAfterSeconds: 7 }
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject(limited)
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject(limited)
  expect(alpaca.stub.requests).toHaveLength(1)
  clock.ms += 7_000
  expect(await submit(orderTerms(), venue)).toMatchObject({ kind: 'accepted' })
})

test('over its own budget nothing is sent, but cancels', async () => {
  const venue = open({ requestsPerMinute: 4, now: () => 0 })
  const terms = orderTerms()
  const placed = await submit(terms, venue)
  if (placed.kind !== 'accepted') throw new Error('not accepted')
  await submit(orderTerms(), venue)
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject({ code: 'venue.unavailable' })
  expect(alpaca.stub.requests).toHaveLength(2)
  expect(await venue.cancel(referenceTo(terms, placed.venueOrderId), noSignal)).toBe('accepted')
})

test('credentials that were replaced meanwhile are asked for once more', async () => {
  const rotated = { keyId: 'PKNEXT', secretKey: 'next' }
  const held = [stubKeys, rotated]
  const venue = open({ credentials: async () => held.shift() ?? rotated })
  await venue.clock(testAccount)
  alpaca.stub.setKeys(rotated)
  expect(await submit(orderTerms(), venue)).toMatchObject({ kind: 'accepted' })
  expect(alpaca.stub.requests).toEqual(['GET /v2/clock', 'POST /v2/orders', 'POST /v2/orders'])
})

test('credentials that the venue refuses twice are an outage, asked for twice', async () => {
  let asked = 0
  const venue = open({
    credentials: async () => {
      asked += 1
      return { keyId: 'PKWRONG', secretKey: 'wrong' }
    },
  })
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject({ code: 'venue.unavailable' })
  expect(asked).toBe(2)
  alpaca.stub.plan(
    /./,
    status(403, { message: 'forbidden.' }),
    status(403, { message: 'forbidden.' }),
  )
  const known = open()
  await expect(submit(orderTerms(), known)).rejects.toMatchObject({ code: 'venue.unavailable' })
})

test('a secret store that is away is an outage, and asked again by the next call', async () => {
  let isAway = true
  const venue = open({
    credentials: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(stubKeys)),
  })
  await expect(submit(orderTerms(), venue)).rejects.toMatchObject({ code: 'venue.unavailable' })
  expect(alpaca.stub.requests).toEqual([])
  isAway = false
  expect(await submit(orderTerms(), venue)).toMatchObject({ kind: 'accepted' })
})

test('an order goes out with every digit, as text', async () => {
  const terms = orderTerms({
    type: 'stop_limit',
    side: 'sell',
    timeInForce: 'gtc',
    quantity: shares('123456789'),
    limitPrice: parseAmount('0.1234'),
    stopPrice: parseAmount('0.12'),
  })
  await submit(terms)
  expect(alpaca.stub.venue.orders.get(terms.clientOrderId)).toMatchObject({
    symbol: 'AAPL',
    side: 'sell',
    type: 'stop_limit',
    timeInForce: 'gtc',
    quantity: shares('123456789'),
    limitPrice: parseAmount('0.1234'),
    stopPrice: parseAmount('0.12'),
  })
})

test('a time in force that Alpaca does not know is rejected here', async () => {
  const dated = orderTerms({ timeInForce: 'gtd', expireAt: 1 })
  expect(await submit(dated)).toMatchObject({
    kind: 'rejected',
    code: 'UNSUPPORTED_TIME_IN_FORCE',
  })
  expect(alpaca.stub.requests).toEqual([])
})

test('a cancel without an answer is unknown', async () => {
  alpaca.stub.plan(/^DELETE/, status(500), { kind: 'hang' })
  const venue = open({ requestMsMax: 200 })
  const reference = referenceTo(orderTerms(), 'any')
  expect(await venue.cancel(reference, noSignal)).toBe('unknown')
  expect(await venue.cancel(reference, noSignal)).toBe('unknown')
})

test('a partly filled order is not replaced: Alpaca would trade the whole again', async () => {
  const venue = open()
  const first = orderTerms()
  await submit(first, venue)
  alpaca.stub.venue.trade('AAPL', shares('4'), parseAmount('100'))
  const successor = orderTerms({ quantity: shares('12') })
  expect(await venue.replace(referenceTo(first), successor, noSignal)).toMatchObject({
    kind: 'rejected',
    code: 'PARTIALLY_FILLED',
  })
  expect(alpaca.stub.requests.filter((asked) => asked.startsWith('PATCH'))).toEqual([])
})

test('a replacement whose answer was lost is unknown, and the next call finds it', async () => {
  const venue = open()
  const first = orderTerms()
  await submit(first, venue)
  alpaca.stub.plan(/^PATCH/, { kind: 'cut-answer' })
  const successor = orderTerms({ quantity: shares('12') })
  expect(await venue.replace(referenceTo(first), successor, noSignal)).toMatchObject({
    kind: 'unknown',
  })
  expect(await venue.replace(referenceTo(first), successor, noSignal)).toEqual({
    kind: 'accepted',
    venueOrderId: alpaca.stub.venue.orders.get(successor.clientOrderId)?.venueOrderId ?? '',
  })
})

test('fills are read page by page, and the cursor goes on behind the last', async () => {
  const venue = open({ requestsPerMinute: 10_000 })
  const terms = orderTerms({ quantity: shares('250') })
  await submit(terms, venue)
  for (let at = 0; at < 205; at += 1)
    alpaca.stub.venue.trade('AAPL', shares('1'), parseAmount('99'))
  const fills = await Array.fromAsync(venue.listFills(testAccount, undefined))
  expect(fills).toHaveLength(205)
  expect(new Set(fills.map(({ trade }) => trade.tradeId)).size).toBe(205)
  expect(alpaca.stub.requests.filter((asked) => asked.includes('activities'))).toHaveLength(3)
  const rest = await Array.fromAsync(venue.listFills(testAccount, fills.at(199)?.cursor))
  expect(rest).toEqual(fills.slice(200))
})

test('cash and short positions keep their sign', async () => {
  const venue = open()
  await submit(orderTerms({ side: 'sell', quantity: shares('3') }), venue)
  alpaca.stub.venue.trade('AAPL', shares('3'), parseAmount('100'))
  expect(await venue.positions(testAccount)).toEqual([{ symbol: 'AAPL', quantity: -shares('3') }])
  expect(await venue.account(testAccount)).toEqual({ cash: -99_123_450_000_000_000_000_000n })
})

test('all open orders are read, however many pages they fill', async () => {
  const venue = open()
  for (let at = 0; at < 620; at += 1) {
    await alpaca.stub.venue.submit(orderTerms(), noSignal)
    // Orders of one instant stand together; pages are cut by time.
    if (at % 2 === 0) alpaca.stub.venue.trade('NOTHING', 1n, 1n)
  }
  const open620 = await venue.listOpen(testAccount)
  expect(new Set(open620.map(({ venueOrderId }) => venueOrderId)).size).toBe(620)
})
