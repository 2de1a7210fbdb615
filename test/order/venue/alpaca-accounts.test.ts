import { afterEach, beforeEach, expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { type Log, silentLog } from '#core/log.ts'
import { parseAmount } from '#core/order/amount.ts'
import { type AlpacaAccountsOptions, alpacaAccounts } from '#core/order/venue/alpaca-accounts.ts'
import { alpacaKeysUnset } from '#core/order/venue/alpaca-keys.ts'
import { guardedVenue } from '#core/order/venue/guarded-venue.ts'
import type { Venue } from '#core/order/venue.ts'
import { alpacaStub, stubKeys } from './alpaca-stub.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { reportLog } from './report-log.ts'
import { silentServer } from './silent-server.ts'

const unavailable = { code: 'venue.unavailable' }
const clock = { nowMs: 0 }
const asked: string[] = []
const said: unknown[] = []
const guardedAccounts: Venue[] = []
let stub: ReturnType<typeof alpacaStub>

beforeEach(() => {
  clock.nowMs = 1_000_000
  asked.length = 0
  said.length = 0
  guardedAccounts.length = 0
  stub = alpacaStub()
})
afterEach(() => stub.close())

const log: Log = { ...silentLog(), error: (event, fields) => void said.push({ event, ...fields }) }

function open(
  credentials: AlpacaAccountsOptions['credentials'] = async () => stubKeys,
  options: Partial<AlpacaAccountsOptions> = {},
) {
  return alpacaAccounts({
    baseUrl: stub.url,
    credentials(account) {
      asked.push(account)
      return credentials(account)
    },
    guard(venue) {
      guardedAccounts.push(venue)
      return guardedVenue(venue, { now: () => clock.nowMs, onChange: () => undefined })
    },
    ...{ log, now: () => clock.nowMs, streamRetryMs: 1 },
    ...options,
  })
}

const withoutKeys = (account: string) => Promise.reject(alpacaKeysUnset(account))

test('an account without keys sends nothing: every call is an outage that names the fix', async () => {
  const venue = open(withoutKeys)
  const terms = orderTerms()
  const { account } = terms
  const calls: readonly (() => Promise<unknown>)[] = [
    () => venue.confirm(account),
    () => venue.submit(terms, noSignal),
    () => venue.cancel(referenceTo(terms), noSignal),
    () => venue.replace(referenceTo(terms), orderTerms(), noSignal),
    () => venue.findByClientOrderId(account, terms.clientOrderId),
    () => venue.listOpen(account),
    () => Array.fromAsync(venue.listFills(account, undefined)),
    () => venue.positions(account),
    () => venue.account(account),
    () => venue.clock(account),
  ]
  for (const call of calls) {
    const { code, message } = await call().then(() => ({ code: '', message: '' }), faultOf)
    expect(code).toBe('venue.unavailable')
    expect(message).toContain('POSTERN_ALPACA_KEYS is not set')
  }
  expect(stub.requests).toEqual([])
})

function faultOf(error: unknown): { code: string; message: string } {
  return error instanceof PosternError ? error : { code: '', message: String(error) }
}

test('it is missed aloud once a minute, and its store asked four times', async () => {
  const venue = open(withoutKeys)
  for (let second = 0; second < 60; second += 1) {
    await venue.confirm(testAccount).catch(() => undefined)
    clock.nowMs += 1_000
  }
  expect(asked).toHaveLength(4)
  expect(said).toEqual([
    {
      ...{ event: 'venue.unavailable', venue: 'alpaca', account: testAccount },
      error: expect.objectContaining({ message: expect.stringContaining('POSTERN_ALPACA_KEYS') }),
    },
  ])
  await venue.confirm(testAccount).catch(() => undefined)
  expect(said).toHaveLength(2)
})

test('keys that are added later are found without a restart', async () => {
  let keys: typeof stubKeys | undefined
  const venue = open(async (account) => keys ?? (await withoutKeys(account)))
  await expect(venue.submit(orderTerms(), noSignal)).rejects.toMatchObject(unavailable)
  keys = stubKeys
  clock.nowMs += 15_000
  await venue.confirm(testAccount)
  expect(await venue.submit(orderTerms(), noSignal)).toMatchObject({ kind: 'accepted' })
})

test('a secret store that is away is an outage of the venue, with its own reason', async () => {
  const away = new PosternError('secret.not_found', { reason: 'secret:a#b does not exist' })
  const venue = open(() => Promise.reject(away))
  await expect(venue.clock(testAccount)).rejects.toMatchObject({
    ...unavailable,
    message: `the keys of account ${testAccount} cannot be read: secret:a#b does not exist`,
    cause: away,
  })
})

test('each account has a connection, keys and breakers of its own', async () => {
  const venue = open(async (account) =>
    account === 'wrong' ? { keyId: 'PKWRONG', secretKey: 'wrong' } : stubKeys,
  )
  await expect(venue.submit(orderTerms({ account: 'wrong' }), noSignal)).rejects.toMatchObject(
    unavailable,
  )
  for (const account of ['a', 'b', 'a']) {
    const placed = await venue.submit(orderTerms({ account }), noSignal)
    expect(placed).toMatchObject({ kind: 'accepted' })
  }
  expect(guardedAccounts).toHaveLength(3)
})

test('an account that fails too often waits, the others do not', async () => {
  const venue = open()
  stub.plan(/^POST/, { kind: 'status', status: 500 }, { kind: 'status', status: 500 })
  for (let count = 0; count < 2; count += 1) {
    const lost = venue.submit(orderTerms({ account: 'a' }), noSignal)
    expect(await lost).toMatchObject({ kind: 'unknown' })
  }
  await expect(venue.confirm('a')).rejects.toMatchObject(unavailable)
  await venue.confirm('b')
  expect(await venue.submit(orderTerms({ account: 'b' }), noSignal)).toMatchObject({
    kind: 'accepted',
  })
})

test('keys are read again when they are refused, and not for each request', async () => {
  let keys = stubKeys
  const venue = open(async () => keys)
  for (let count = 0; count < 5; count += 1) await venue.clock(testAccount)
  const before = asked.length
  expect(before).toBe(2)
  keys = { keyId: 'PKNEXT', secretKey: 'next' }
  stub.setKeys(keys)
  await venue.clock(testAccount)
  expect(asked).toHaveLength(before + 1)
})

test('a stream tells of accounts that were known before it and of those that come later', async () => {
  const venue = open()
  await venue.confirm('early')
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  const later = orderTerms({ account: 'later' })
  await venue.submit(later, noSignal)
  // Both keys are of one account at the stub, so both connections are told of each order.
  const told = await log.until((entries) => {
    const accounts = entries.flatMap((one) => (typeof one === 'object' ? [one.account] : []))
    return accounts.length >= 2 ? accounts : undefined
  })
  expect(told.toSorted()).toEqual(['early', 'later'])
  await stream.close()
})

test('an account that opens together with a stream is told of once', async () => {
  const venue = open()
  const log = reportLog()
  const opening = venue.confirm(testAccount)
  const stream = await venue.stream(log.handlers)
  await opening
  for (const terms of [orderTerms(), orderTerms(), orderTerms()]) {
    await venue.submit(terms, noSignal)
    await log.event(terms.clientOrderId, 'ack')
  }
  // A second connection would have told of the first order by now.
  expect(log.entries).toHaveLength(3)
  await stream.close()
})

test('a stream that does not open keeps nobody waiting, and is told of when it does', async () => {
  const venue = open()
  stub.cutStream()
  const log = reportLog()
  const stream = await venue.stream(log.handlers)
  expect(await venue.submit(orderTerms(), noSignal)).toMatchObject({ kind: 'accepted' })
  expect(log.entries).toEqual(['disconnect'])
  stub.mendStream()
  await log.until((entries) => entries.find((entry) => entry === 'reconnect'))
  const terms = orderTerms({ quantity: parseAmount('3') })
  await venue.submit(terms, noSignal)
  await log.event(terms.clientOrderId, 'ack')
  await stream.close()
})

test('it closes at once while a server says nothing to its connections', async () => {
  const silent = silentServer()
  const venue = open(undefined, { baseUrl: silent.url })
  const stream = await venue.stream(reportLog().handlers)
  const opening = venue.confirm(testAccount)
  await silent.connected
  await stream.close()
  await opening
  silent.close()
})
