import { afterEach, beforeEach, expect, test } from 'bun:test'
import { silentLog } from '#core/log.ts'
import { parseAmount } from '#core/order/amount.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { eventually } from '../../integration/world.ts'
import { listenTo } from './desk-listener.ts'
import { account, addInstrument, setLimit, setSwitch } from './desk-rows.ts'
import { type DeskWorld, openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const closeMs = Date.parse('2024-03-01T21:00:00Z')
const shares = parseAmount

const world = await fileWorld(openDeskWorld)
const { sql, readMarket } = world.workerDesk
const paper = paperVenue({
  sql,
  grouped: world.poolAt(world.url, 'postern_worker', 1),
  rules: { ...paperDefaults, seed: 1 },
  ...paperMarkets({ sql, readMarket }),
})
let ear: Awaited<ReturnType<typeof listenTo>>
beforeEach(async () => {
  await world.sql`truncate postern_paper_order, postern_paper_report, postern_paper_position,
    postern_lease`
  ear = await listenTo(paper, world)
})
afterEach(async () => {
  await ear.close()
  await paper.idle()
})
expectNoFaultsAfterEach(world)

function startKeeper() {
  const { workerDesk: desk, reports } = world
  const reads = reconcileReads(desk.sql)
  const reconcile = { desk, reports, venues: new Map([['paper', paper]]), reads }
  return startDeskKeeper({ entry: desk, reconcile, paper, log: silentLog() })
}

/** Keeps until `isDone`; closing it waits for the round that is under way. */
async function keepUntil(isDone: () => Promise<boolean>): Promise<void> {
  const keeper = startKeeper()
  try {
    await eventually(isDone, 20_000)
  } finally {
    await keeper.close()
    await ear.told()
  }
}

/** Rests at the paper venue, a dollar below the market. */
async function resting(change: Parameters<DeskWorld['place']>[0] = {}): Promise<OrderDocument> {
  const order = await world.place({ limitPrice: shares('99'), ...change })
  await world.runJobs(paper)
  await ear.told()
  expect(await world.statusOf(order)).toBe('new')
  return order
}
const isReconciled = async () => {
  const [row] = await world.sql`
    select reconciled_at is not null as done from postern_account where id = ${account}`
  return row?.['done'] === true
}

test('a halt cancels what reached its venue meanwhile, and only what it concerns', async () => {
  await addInstrument(world.sql, 'MSFT')
  const [halted, other] = [await resting(), await resting({ symbol: 'MSFT' })]
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  await keepUntil(async () => (await world.statusOf(halted)) === 'pending_cancel')
  await world.runJobs(paper)
  await ear.told()
  expect(await world.statusOf(halted)).toBe('canceled')
  expect(await world.statusOf(other)).toBe('new')
})

test('an order whose job was given up gets a new one, behind any number that rest', async () => {
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  const one = { quantity: shares('1'), limitPrice: shares('99') }
  await Promise.all(Array.from({ length: 205 }, () => world.place(one)))
  await world.runJobs(paper)
  await ear.told()
  const stuck = await world.place({ limitPrice: shares('98') })
  await world.intend(stuck.id)
  world.sent.length = 0
  await keepUntil(() => Promise.resolve(world.sent.length > 0))
  expect(world.sent.map(({ payload }) => payload)).toContainEqual({
    venue: 'paper',
    orders: [{ account, id: stuck.id }],
  })
  await world.runJobs(paper)
  await ear.told()
  expect(await world.statusOf(stuck)).toBe('new')
})

test('day orders end after their session, here and at the paper venue', async () => {
  const order = await resting()
  const waiting = await world.place({ quantity: shares('5'), limitPrice: shares('98') })
  world.clock.nowMs = closeMs + 1
  await keepUntil(
    async () =>
      (await world.statusOf(order)) === 'expired' && (await world.statusOf(waiting)) === 'expired',
  )
  expect((await paper.listOpen(account)).length).toBe(0)
})

test('an account is reconciled without being asked', async () => {
  await keepUntil(isReconciled)
})

test('an account whose venue is away keeps no other from being reconciled', async () => {
  await world.sql`insert into postern_account (id, venue, clock, starting_cash, cash)
    values ('a-first', 'alpaca', 'live', 1, 1)`
  await keepUntil(isReconciled)
})

test('of two keepers one keeps, until it is gone', async () => {
  await world.sql`insert into postern_lease (name, holder, until)
    values ('desk', gen_random_uuid(), now() + interval '20 s')`
  const order = await resting()
  world.clock.nowMs = closeMs + 1
  await startKeeper().close()
  expect(await world.statusOf(order)).toBe('new')
  await world.sql`update postern_lease set until = now() - interval '1 s'`
  await keepUntil(async () => (await world.statusOf(order)) === 'expired')
})
