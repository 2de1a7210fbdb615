import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { silentLog } from '#core/log.ts'
import { parseAmount } from '#core/order/amount.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { type PaperVenue, paperVenue } from '#core/order/venue/paper-venue.ts'
import { eventually } from '../../integration/world.ts'
import { deskFaults } from './desk-faults.ts'
import { listenTo } from './desk-listener.ts'
import { account, addInstrument, orderRow, setLimit, setSwitch } from './desk-rows.ts'
import { type DeskWorld, openDeskWorld } from './desk-world.ts'

setDefaultTimeout(60_000)

const closeMs = Date.parse('2024-03-01T21:00:00Z')
const shares = parseAmount

let world: DeskWorld
let paper: PaperVenue
let ear: Awaited<ReturnType<typeof listenTo>>
beforeAll(async () => {
  world = await openDeskWorld()
  const sql = world.workerDesk.sql
  paper = paperVenue({
    sql,
    grouped: world.poolAt(world.url, 'postern_worker', 1),
    rules: { ...paperDefaults, seed: 1 },
    ...paperMarkets({ sql, readMarket: world.workerDesk.readMarket }),
  })
})
afterAll(async () => {
  await paper.idle()
  await world.close()
})
beforeEach(async () => {
  await world.clear()
  await world.sql`truncate postern_paper_order, postern_paper_report, postern_lease`
  ear = await listenTo(paper, world)
})
afterEach(async () => {
  await ear.close()
  expect(await deskFaults(world.sql)).toEqual([])
})

/** Keeps until `isDone`; closing it waits for the round that is under way. */
async function keepUntil(isDone: () => Promise<boolean>): Promise<void> {
  const reconcile = {
    desk: world.workerDesk,
    reports: world.reports,
    venues: new Map([['paper', paper]]),
  }
  const keeper = startDeskKeeper({ entry: world.workerDesk, reconcile, paper, log: silentLog() })
  try {
    await eventually(isDone, 20_000)
  } finally {
    await keeper.close()
    await ear.told()
  }
}

const status = async ({ id }: Pick<OrderDocument, 'id'>) =>
  (await orderRow(world.sql, id))?.['status']
/** Rests at the paper venue, a dollar below the market. */
async function resting(change: Parameters<DeskWorld['place']>[0] = {}): Promise<OrderDocument> {
  const order = await world.place({ limitPrice: shares('99'), ...change })
  await world.runJobs(paper)
  await ear.told()
  expect(await status(order)).toBe('new')
  return order
}
const isReconciled = async () => {
  const [row] = await world.sql`select reconciled_at is not null as done from postern_account`
  return row?.['done'] === true
}

test('a halt cancels what reached its venue meanwhile, and only what it concerns', async () => {
  await addInstrument(world.sql, 'MSFT')
  const [halted, other] = [await resting(), await resting({ symbol: 'MSFT' })]
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  await keepUntil(async () => (await status(halted)) === 'pending_cancel')
  await world.runJobs(paper)
  await ear.told()
  expect(await status(halted)).toBe('canceled')
  expect(await status(other)).toBe('new')
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
  expect(world.sent.map(({ payload }) => payload)).toContainEqual({ account, orders: [stuck.id] })
  await world.runJobs(paper)
  await ear.told()
  expect(await status(stuck)).toBe('new')
})

test('day orders end after their session, here and at the paper venue', async () => {
  const order = await resting()
  const waiting = await world.place({ quantity: shares('5'), limitPrice: shares('98') })
  world.clock.nowMs = closeMs + 1
  await keepUntil(
    async () => (await status(order)) === 'expired' && (await status(waiting)) === 'expired',
  )
  expect((await paper.listOpen(account)).length).toBe(0)
})

test('an account is reconciled without being asked', async () => {
  await keepUntil(isReconciled)
})

test('an account whose venue is away keeps no other from being reconciled', async () => {
  await world.sql`insert into postern_account (id, venue, clock, starting_cash, cash)
    values ('a-first', 'alpaca', 'live', 1, 1)`
  await keepUntil(async () => {
    const [row] = await world.sql`
      select reconciled_at is not null as done from postern_account where id = ${account}`
    return row?.['done'] === true
  })
})

test('of two keepers one keeps, until it is gone', async () => {
  await world.sql`insert into postern_lease (name, holder, until)
    values ('desk', gen_random_uuid(), now() + interval '1 hour')`
  const order = await resting()
  world.clock.nowMs = closeMs + 1
  const keeper = startDeskKeeper({
    entry: world.workerDesk,
    reconcile: {
      desk: world.workerDesk,
      reports: world.reports,
      venues: new Map([['paper', paper]]),
    },
    ...{ paper, log: silentLog() },
  })
  await keeper.close()
  expect(await status(order)).toBe('new')
  await world.sql`update postern_lease set until = now() - interval '1 s'`
  await keepUntil(async () => (await status(order)) === 'expired')
})
