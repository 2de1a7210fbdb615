import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { parseConfig } from '#core/config.ts'
import { type Log, type LogFields, silentLog } from '#core/log.ts'
import { parseAmount } from '#core/order/amount.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { type Foundation, openFoundation } from '../../commands/foundation.ts'
import { queueNames } from '../../commands/job-kinds.ts'
import { openOrderDesk, openVenueDesk } from '../../commands/open-desk.ts'
import { openServices } from '../../commands/open-services.ts'
import { alpacaCredentials } from '../../commands/open-venues.ts'
import { eventually } from '../integration/world.ts'
import { addInstrument, noonMs, orderRow, trader } from '../order/desk/desk-rows.ts'
import { orderTerms } from '../order/desk/desk-world.ts'
import { alpacaStub, stubKeys } from '../order/venue/alpaca-stub.ts'
import { memorySecretReader } from '../secret/memory-secret-reader.ts'

setDefaultTimeout(60_000)

const clock = { nowMs: noonMs }
const said: LogFields[] = []
const note = (event: string, fields: LogFields = {}) => void said.push({ event, ...fields })
const log: Log = { ...silentLog(), warn: note, error: note }
const secrets = memorySecretReader()
const stub = alpacaStub()
const stack = new AsyncDisposableStack()
let placed = 0
let foundation: Foundation
let gateway: ReturnType<typeof openOrderDesk>
let workers: Awaited<ReturnType<typeof openVenueDesk>>

function putKeys(...accounts: readonly string[]): void {
  const { keyId: key_id, secretKey: secret_key } = stubKeys
  const keys = accounts.map((account) => [account, { key_id, secret_key }] as const)
  secrets.put('postern/alpaca', { keys: JSON.stringify(Object.fromEntries(keys)) })
}

beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 1 })
  await migrate({ sql, queue: 'postgres', queues: queueNames })
  await sql`update postern_market set index_symbol = null`
  await addAccount(sql, 'first')
  await sql.end()
  putKeys('first', 'second')
  const config = parseConfig({
    ...{ POSTERN_MODE: 'development', POSTERN_QUEUE: 'postgres', POSTERN_DATABASE_URL: url },
    ...{ POSTERN_ALPACA_URL: stub.url, POSTERN_ALPACA_KEYS: 'secret:postern/alpaca#keys' },
  })
  const role = undefined
  const opened = await openFoundation({ config, log, version: 'test', role, stack })
  foundation = { ...opened, secrets, now: () => new Date(clock.nowMs) }
  const services = await openServices(foundation, ['gateway', 'worker'])
  gateway = openOrderDesk(foundation, services)
  workers = await openVenueDesk(foundation, services)
})

afterAll(async () => {
  await stack.disposeAsync()
  await stub.close()
})

async function addAccount(sql: Sql, id: string): Promise<void> {
  await sql`insert into postern_account (id, venue, clock, starting_cash, cash)
    values (${id}, 'alpaca', 'live', 100000, 100000)`
  const { issuer, subject } = trader.principal
  await sql`insert into postern_account_trader (account, issuer, subject)
    values (${id}, ${issuer}, ${subject})`
}

/** No two alike, which would be refused as a slip. */
async function place(account: string) {
  placed += 1
  await addInstrument(workers.connection.sql, 'AAPL', { atMs: clock.nowMs })
  const quantity = parseAmount(String(placed))
  const terms = orderTerms({ account, quantity, limitPrice: parseAmount('99') })
  const entered = await gateway.intake.enter({ terms, idempotency: undefined, caller: trader })
  return entered.order
}

/** One run of the job that takes orders to their venue. */
async function advance(account: string, id: string) {
  const { connection: desk, intents, reports, venues } = workers
  const { process } = advanceOrders({ desk, intents, reports, venues })
  const attempt = { jobId: Bun.randomUUIDv7(), attempt: 1, attemptsMax: 60, requestId: 'r' }
  const payload = { venue: 'alpaca', orders: [{ account, id }] }
  const job = { ...attempt, payload, traceparent: undefined }
  return (await process(job, new AbortController().signal)).result
}

const statusOf = async (id: string) => (await orderRow(workers.connection.sql, id))?.['status']

test('an order goes to Alpaca with its account’s keys, and its fill comes back by the stream', async () => {
  const order = await place('first')
  expect(await advance('first', order.id)).toMatchObject({ sent: 1 })
  expect(await statusOf(order.id)).toBe('new')
  stub.venue.trade('AAPL', parseAmount('10'), parseAmount('99'))
  await eventually(async () => (await statusOf(order.id)) === 'filled')
  // A fill is counted after its commit.
  await eventually(async () =>
    (await foundation.metrics.registry.metrics()).includes(
      'postern_order_fills_total{venue="alpaca"} 1',
    ),
  )
  const text = await foundation.metrics.registry.metrics()
  expect(text).toMatch(
    /postern_venue_calls_seconds_count\{[^}]*call="submit"[^}]*accepted"[^}]*\} 1/,
  )
  expect(text).toContain('postern_venue_breaker_open{venue="alpaca"} 0')
  expect(text).toContain('postern_venue_breaker_open{venue="paper"} 0')
})

test('an account that is added later trades without a restart', async () => {
  await addAccount(workers.connection.sql, 'second')
  const order = await place('second')
  await advance('second', order.id)
  expect(await statusOf(order.id)).toBe('new')
})

test('without keys an order stays accepted and the log says what to do; with them it goes out', async () => {
  await addAccount(workers.connection.sql, 'third')
  const order = await place('third')
  expect(await advance('third', order.id)).toMatchObject({ sent: 0, looked_up: 0 })
  expect(await statusOf(order.id)).toBe('accepted')
  const lines = said.filter(({ event, account }) => event === 'venue.unavailable' && account)
  expect(lines).toHaveLength(1)
  expect(String(lines[0]?.['error'])).toContain('no keys of account third: add them as {')
  putKeys('first', 'second', 'third')
  clock.nowMs += 15_000
  await advance('third', order.id)
  expect(await statusOf(order.id)).toBe('new')
  expect(JSON.stringify(said)).not.toContain(stubKeys.secretKey)
})

test('a breaker that opens is told of, and counts in the metrics', async () => {
  const order = await place('second')
  const failed = { kind: 'status', status: 500 } as const
  stub.plan(/^POST/, failed)
  stub.plan(/^GET .*by_client_order_id/, failed, failed)
  // Three, as the keeper may ask something between them that succeeds.
  for (let run = 0; run < 3; run += 1) await advance('second', order.id).catch(() => undefined)
  expect(said).toContainEqual({
    ...{ event: 'venue.breaker', venue: 'alpaca', breaker: 'network', account: 'second' },
    ...{ from: 'CLOSED', to: 'OPEN' },
  })
  const text = await foundation.metrics.registry.metrics()
  expect(text).toContain('postern_venue_breaker_open{venue="alpaca"} 1')
  const waiting = await place('second')
  await advance('second', waiting.id)
  expect(await statusOf(waiting.id)).toBe('accepted')
})

test.each([
  ['POSTERN_ALPACA_KEYS is not set', {}],
  ['POSTERN_SECRET_STORE', { POSTERN_ALPACA_KEYS: 'secret:postern/alpaca#keys' }],
  ['is not of the form', { POSTERN_ALPACA_KEYS: 'hunter2' }],
])('keys that are not there are missed with the fix: %s', async (fix, settings) => {
  const config = parseConfig({ POSTERN_MODE: 'development', ...settings })
  const missing = alpacaCredentials({ config, secrets: undefined })('first')
  await expect(missing).rejects.toThrow(fix)
})
