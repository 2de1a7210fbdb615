import { beforeEach, expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { serviceBreakerRules } from '#core/market/service-breaker.ts'
import type { OrderTerms } from '#core/order/order.ts'
import {
  type GuardChange,
  type GuardedVenue,
  guardedVenue,
} from '#core/order/venue/guarded-venue.ts'
import { spareVenue } from '#core/order/venue/venue-outage.ts'
import type { Venue } from '#core/order/venue.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { reportLog } from './report-log.ts'
import { type ScriptedVenue, type SubmitFault, scriptedVenue } from './scripted-venue.ts'

const minuteMs = 60_000
const confirmMs = 30_000
const { network, trade, confirmation } = serviceBreakerRules

const clock = { nowMs: 0 }
let inner: ScriptedVenue
let venue: GuardedVenue
let changes: GuardChange[]

function guard(about: Venue): GuardedVenue {
  const onChange = (change: GuardChange) => void changes.push(change)
  return guardedVenue(about, { now: () => clock.nowMs, onChange, confirmMs })
}

beforeEach(() => {
  clock.nowMs = Date.UTC(2026, 10, 24, 15)
  changes = []
  inner = scriptedVenue()
  venue = guard(inner)
})

const submit = (terms: OrderTerms = orderTerms(), to: Venue = venue) => to.submit(terms, noSignal)
const lost: SubmitFault = { kind: 'lose-order' }
const away: SubmitFault = { kind: 'unavailable' }
const rejected: SubmitFault = { kind: 'reject', code: 'NO' }

/** Submits once for each fault, one after the other. */
async function meet(...faults: readonly SubmitFault[]): Promise<void> {
  for (const fault of faults) {
    inner.script(fault)
    await submit().catch(() => undefined)
  }
}

const openFor = (rules: { readonly waitMs: number }) => ({
  code: 'venue.unavailable',
  retryAfterSeconds: rules.waitMs / 1_000,
})

async function expectOpen(rules: { readonly waitMs: number }): Promise<void> {
  const terms = orderTerms()
  await expect(submit(terms)).rejects.toMatchObject(openFor(rules))
  expect(inner.submits.has(terms.clientOrderId)).toBe(false)
}

test.each([
  ['outages', away],
  ['unknown outcomes', lost],
] as const)(
  'after two %s in a row no order is sent, and the refusal says for how long',
  async (_name, fault) => {
    for (let count = 0; count < 5; count += 1) await submit()
    await meet(fault)
    expect(await submit()).toMatchObject({ kind: 'accepted' })
    expect(changes).toEqual([])
    await meet(fault, fault)
    await expectOpen(network)
    const [change] = changes
    expect(change).toEqual({
      ...{ breaker: 'network', account: testAccount, from: 'CLOSED', to: 'OPEN' },
    })
  },
)

test('an outage of a read counts as well as one of an order', async () => {
  const gone = () => Promise.reject(new PosternError('venue.unavailable', { reason: 'gone' }))
  const failing = guard({ ...inner, positions: gone, clock: gone })
  await expect(failing.positions(testAccount)).rejects.toMatchObject({ code: 'venue.unavailable' })
  await expect(failing.clock(testAccount)).rejects.toMatchObject({ code: 'venue.unavailable' })
  await expect(submit(orderTerms(), failing)).rejects.toMatchObject(openFor(network))
})

test('an open breaker lets no replacement out, but every look-up and cancel', async () => {
  const terms = orderTerms()
  await submit(terms)
  await meet(lost, lost)
  const successor = orderTerms()
  const replacing = venue.replace(referenceTo(terms), successor, noSignal)
  await expect(replacing).rejects.toMatchObject(openFor(network))
  expect(inner.orders.has(successor.clientOrderId)).toBe(false)
  const { account, clientOrderId } = terms
  expect(await venue.findByClientOrderId(account, clientOrderId)).toMatchObject({ status: 'new' })
  expect(await venue.listOpen(account)).toHaveLength(1)
  expect(await Array.fromAsync(venue.listFills(account, undefined))).toEqual([])
  expect(await venue.positions(account)).toEqual([])
  expect(await venue.account(account)).toEqual({ cash: undefined })
  expect((await venue.clock(account)).isOpen).toBe(true)
  expect(await venue.cancel(referenceTo(terms), noSignal)).toBe('accepted')
})

test('look-ups that succeed meanwhile do not end its wait, nor do those that fail', async () => {
  await meet(lost, lost)
  for (let count = 0; count < 10; count += 1) await venue.positions(testAccount)
  await expectOpen(network)
  clock.nowMs += network.waitMs - 1
  await expect(submit()).rejects.toMatchObject({ retryAfterSeconds: 1 })
})

test('`confirm` refuses as a submission would; neither it nor a look-up takes a probe', async () => {
  await venue.confirm(testAccount)
  await meet(lost, lost)
  await expect(venue.confirm(testAccount)).rejects.toMatchObject(openFor(network))
  clock.nowMs += network.waitMs
  for (let count = 0; count < 20; count += 1) await venue.confirm(testAccount)
  for (let count = 0; count < 20; count += 1) await venue.positions(testAccount)
  expect(await submit()).toMatchObject({ kind: 'accepted' })
  expect(changes.map(({ to }) => to)).toEqual(['OPEN', 'HALF_OPEN'])
})

test('three successful probes close it, one that fails opens it for the whole wait', async () => {
  await meet(lost, lost)
  clock.nowMs += network.waitMs
  expect(await submit()).toMatchObject({ kind: 'accepted' })
  await meet(lost)
  await expectOpen(network)
  clock.nowMs += network.waitMs
  for (let count = 0; count < 3; count += 1) {
    expect(await submit()).toMatchObject({ kind: 'accepted' })
  }
  expect(changes.map(({ to }) => to)).toEqual(['OPEN', 'HALF_OPEN', 'OPEN', 'HALF_OPEN', 'CLOSED'])
})

test.each([
  ['is limited', () => spareVenue(new PosternError('venue.unavailable', { reason: 'limited' }))],
  ['meets a bug', () => new TypeError('a bug')],
  ['is refused an account', () => new PosternError('account.not_found')],
])('a call that %s says nothing of the venue', async (_name, error) => {
  const failing = guard({ ...inner, submit: () => Promise.reject(error()) })
  for (let count = 0; count < 20; count += 1) {
    await expect(submit(orderTerms(), failing)).rejects.toThrow(error().message)
  }
  expect(changes).toEqual([])
})

test('nor does a call that its caller gave up, while it waits or before', async () => {
  const giving = new AbortController()
  const hanging = guard({
    ...inner,
    submit: async () => {
      giving.abort()
      return { kind: 'unknown', reason: 'given up' }
    },
  })
  for (let count = 0; count < 5; count += 1) {
    expect(await hanging.submit(orderTerms(), giving.signal)).toMatchObject({ kind: 'unknown' })
    const early = venue.submit(orderTerms(), AbortSignal.abort())
    await expect(early).rejects.toMatchObject({ code: 'venue.unavailable' })
  }
  expect(changes).toEqual([])
})

test('a probe that says nothing of the venue leaves its place to another', async () => {
  await meet(lost, lost)
  clock.nowMs += network.waitMs
  for (let count = 0; count < 20; count += 1) {
    const early = venue.submit(orderTerms(), AbortSignal.abort())
    await expect(early).rejects.toMatchObject({ message: 'given up' })
  }
  for (let count = 0; count < 3; count += 1) await submit()
  expect(changes.at(-1)).toMatchObject({ to: 'CLOSED' })
})

test('an account whose orders are rejected three times in a row waits, the others do not', async () => {
  await submit()
  await meet(rejected)
  for (let count = 0; count < 5; count += 1) await submit()
  await meet(rejected, rejected)
  expect(changes).toEqual([])
  await meet(rejected)
  await expectOpen(trade)
  expect(changes).toEqual([{ breaker: 'trade', account: testAccount, from: 'CLOSED', to: 'OPEN' }])
  const other = orderTerms({ account: 'desk-2' })
  await venue.confirm('desk-2')
  expect(await submit(other)).toMatchObject({ kind: 'accepted' })
})

test('a rejection is an answer, and closes what outages have opened', async () => {
  await meet(lost, lost)
  clock.nowMs += network.waitMs
  await meet(rejected)
  await submit()
  await meet(rejected)
  expect(changes.at(-1)).toMatchObject({ breaker: 'network', to: 'CLOSED' })
})

test('an account that the venue fails waits by itself', async () => {
  await meet(lost, lost)
  await expectOpen(network)
  await venue.confirm('desk-2')
  expect(await submit(orderTerms({ account: 'desk-2' }))).toMatchObject({ kind: 'accepted' })
})

test('a loss that was asked for, in a rehearsal, does not end it', async () => {
  const noAnswer = spareVenue({ kind: 'unknown', reason: 'on purpose' } as const)
  const losing = guard({ ...inner, submit: () => Promise.resolve(noAnswer) })
  for (let count = 0; count < 20; count += 1) {
    expect(await submit(orderTerms(), losing)).toBe(noAnswer)
  }
  expect(changes).toEqual([])
})

test('replacements that come too late are no rejected trades', async () => {
  for (let count = 0; count < 10; count += 1) {
    const replacing = venue.replace(referenceTo(orderTerms()), orderTerms(), noSignal)
    expect(await replacing).toMatchObject({ kind: 'rejected' })
  }
  expect(changes).toEqual([])
})

test('a venue that accepts orders and never tells of them is left alone for an hour', async () => {
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  inner.disconnect()
  for (let count = 0; count < 3; count += 1) {
    expect(await submit()).toMatchObject({ kind: 'accepted' })
    clock.nowMs += confirmMs
  }
  await expectOpen(confirmation)
  expect(changes).toEqual([
    { breaker: 'confirmation', account: testAccount, from: 'CLOSED', to: 'OPEN' },
  ])
  await stream.close()
})

test('orders that are told of in time, before or after their answer, keep it closed', async () => {
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  const late = guard({
    ...inner,
    async submit(order, signal) {
      const answer = await inner.submit(order, signal)
      // The report overtakes the answer.
      await log.event(order.clientOrderId, 'ack')
      return answer
    },
  })
  const lateStream = await late.stream(log.handlers)
  for (let count = 0; count < 10; count += 1) {
    const [first, second] = [orderTerms(), orderTerms()]
    await submit(first)
    await submit(second, late)
    await log.event(first.clientOrderId, 'ack')
    clock.nowMs += confirmMs
  }
  await venue.confirm(testAccount)
  await late.confirm(testAccount)
  expect(changes).toEqual([])
  await stream.close()
  await lateStream.close()
})

test('without a stream no report is missed', async () => {
  const stream = await venue.stream(reportLog().handlers)
  inner.disconnect()
  await submit()
  await stream.close()
  for (let count = 0; count < 5; count += 1) {
    clock.nowMs += minuteMs
    await submit()
  }
  expect(changes).toEqual([])
})

test('the failures of five minutes count among all calls of them, however many succeed', async () => {
  for (let count = 0; count < 2_000; count += 1) await venue.positions(testAccount)
  await meet(lost)
  await submit()
  await meet(lost)
  await submit()
  expect(changes).toEqual([])
  await meet(lost)
  await expectOpen(network)
})
