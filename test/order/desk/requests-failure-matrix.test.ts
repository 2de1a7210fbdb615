import { afterAll, beforeEach, expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { type IntentIntake, intentIntake } from '#core/order/desk/intent-intake.ts'
import { type OrderIntake, orderIntake } from '#core/order/desk/order-intake.ts'
import { type OrderRequests, orderRequests } from '#core/order/desk/order-requests.ts'
import { type ReportIntake, reportIntake } from '#core/order/desk/report-intake.ts'
import { releaseWaiting } from '#core/order/desk/waiting-orders.ts'
import { type Treason, treacherousProxy } from '../../integration/treacherous-proxy.ts'
import { type ScriptedVenue, scriptedVenue } from '../venue/scripted-venue.ts'
import { deskFaults } from './desk-faults.ts'
import { account, accountRow, count, orderRow, positionRow, trader } from './desk-rows.ts'
import { advance, type DeskWorld, fate, openDeskWorld, tradeReport } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
const proxy = await treacherousProxy(Number(new URL(world.url).port))
afterAll(() => proxy.close())
/** Behind the proxy, anew for each test: a statement that was prepared before shows no text. */
let intake: OrderIntake
let requests: OrderRequests
let intents: IntentIntake
let reports: ReportIntake
let workerDesk: ReturnType<DeskWorld['deskOn']>
let venue: ScriptedVenue
beforeEach(() => {
  venue = scriptedVenue({ name: 'paper' })
  const url = new URL(world.url)
  url.port = String(proxy.port)
  const desk = world.deskOn(world.poolAt(url.href, 'postern_gateway', 1))
  workerDesk = world.deskOn(world.poolAt(url.href, 'postern_worker', 1))
  intake = orderIntake(desk)
  requests = orderRequests(desk)
  intents = intentIntake(workerDesk)
  reports = reportIntake(workerDesk)
})

const shares = parseAmount
const has = (part: string) => (text: string) => text.includes(part)

type Act = {
  /** Makes what the act needs; returns the order it is about, if there is one yet. */
  readonly prepare: () => Promise<string>
  readonly run: (id: string) => Promise<unknown>
  /** What is there in the end, whatever was lost on the way. */
  readonly end: (id: string) => Promise<void>
  /** Where it is more than one commit, what the first of them has stored stays. */
  readonly hasFirst?: boolean
}

async function live(): Promise<string> {
  return (await world.live()).id
}

const sendOrder = (id: string) => advance({ workerDesk, intents, reports, venue }, [id])

async function hold(): Promise<string> {
  const { id } = await world.place({ timeInForce: 'gtc' })
  await world.sql`update postern_order set status = 'held' where id = ${id}`
  const event = JSON.stringify({ type: 'halt', reason: 'test' })
  await world.sql`insert into postern_order_event (order_id, seq, type, event, at)
    values (${id}, 2, 'halt', ${event}::text::jsonb, now())`
  await world.sql`update postern_order set seq = 3 where id = ${id}`
  return id
}

const acts: Readonly<Record<string, Act>> = {
  'an order is entered': {
    prepare: () => Promise.resolve(''),
    run: () => world.placeIn(intake, {}, { key: 'k' }),
    async end() {
      expect(await count(world.sql, 'postern_order')).toBe(1)
      expect(await accountRow(world.sql)).toMatchObject({ reserved: '1000', open: 1 })
    },
  },
  'the venue’s answer to an order is recorded': {
    hasFirst: true,
    prepare: async () => (await world.place()).id,
    run: sendOrder,
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'new' })
      expect([...venue.submits.values()]).toEqual([1])
    },
  },
  'a fill is recorded': {
    prepare: live,
    run: (id) => reports.apply(tradeReport(id, 't1', '10')),
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'filled', cum: '10' })
      expect(await accountRow(world.sql)).toEqual({ cash: '99000', reserved: '0', open: 0 })
      expect(await positionRow(world.sql)).toEqual({ quantity: '10', buy: '0', sell: '0' })
    },
  },
  'a report is quarantined and its symbol frozen': {
    prepare: live,
    run: (id) => reports.apply(tradeReport(id, 't1', '11')),
    async end() {
      expect(await count(world.sql, 'postern_order_quarantine')).toBe(1)
      expect(await count(world.sql, 'postern_trading_state')).toBe(1)
    },
  },
  'a cancel is asked for': {
    prepare: live,
    run: (id) => requests.cancel(id, trader),
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'pending_cancel' })
    },
  },
  'a replacement is asked for': {
    prepare: live,
    run: (id) => requests.replace(id, { quantity: shares('20') }, trader),
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'pending_replace' })
      expect(await accountRow(world.sql)).toMatchObject({ reserved: '2000', open: 1 })
    },
  },
  'a replacement is recorded': {
    async prepare() {
      const id = await live()
      await world.requests.replace(id, { quantity: shares('20') }, trader)
      return id
    },
    async run(id) {
      const [row] = await world.sql<{ successor: string }[]>`
        select coalesce(replacement ->> 'successor', replaced_by::text) as successor
        from postern_order where id = ${id}`
      const successorClientOrderId = row?.successor ?? ''
      const event = { type: 'replaced', successorClientOrderId, venueOrderId: 'v2' } as const
      await reports.apply({ account, clientOrderId: id, event })
    },
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'replaced' })
      expect(await count(world.sql, 'postern_order')).toBe(2)
      expect(await accountRow(world.sql)).toMatchObject({ reserved: '2000', open: 1 })
    },
  },
  'a held order is let go': {
    prepare: hold,
    run: () => releaseWaiting(workerDesk, account),
    async end(id) {
      expect(await orderRow(world.sql, id)).toMatchObject({ status: 'accepted' })
    },
  },
}

/** The two that matter of a transaction: what it stores, and that it has. */
const writes = [
  ['the statement that stores it', has('insert into postern_order ('), 'lost'],
  ['its commit', has('commit'), 'lost'],
  ['its commit', has('commit'), 'done, answer lost'],
] as const

const cases = Object.entries(acts).flatMap(([name, act]) =>
  writes.map(([what, isWrite, how]) => ({ name, what, how, act, isWrite })),
)

test.each(cases)(
  '$name, and $what is $how: all of it or nothing, and again once',
  async ({ act, isWrite, how }) => {
    const id = await act.prepare()
    const before = await stored()
    await cutOff(() => act.run(id), { how, isWrite, isDone: has('COMMIT') })
    if (act.hasFirst !== true && how === 'lost') expect(await stored()).toEqual(before)
    else expect(await stored()).not.toEqual(before)
    await again(act, id)
  },
)

test.each(['lost', 'done, answer lost'] as const)(
  'an order is sent, and its intent is %s: it is at its venue once',
  async (how) => {
    const id = (await world.place()).id
    await cutOff(() => sendOrder(id), { how, isWrite: has('intended as'), isDone: has('SELECT ') })
    expect(venue.submits.size).toBe(0)
    const status = how === 'lost' ? 'accepted' : 'pending_new'
    expect(await orderRow(world.sql, id)).toMatchObject({ status })
    const sent = acts['the venue’s answer to an order is recorded']
    if (sent !== undefined) await again(sent, id)
  },
)

/** Runs until it is cut off; then everything that must hold of the rows holds. */
async function cutOff(run: () => Promise<unknown>, treason: Treason): Promise<void> {
  const committed = proxy.arm(treason)
  expect(await fate(run())).toBe('database.unavailable')
  await committed
  // Who was cut off may still be ending.
  await world.sql`select id from postern_account order by id for update`
  expect(await deskFaults(world.sql)).toEqual([])
}

/** Asked again it is done, and what is done is not done by asking once more. */
async function again({ run, end }: Act, id: string): Promise<void> {
  for (let time = 0; time < 2; time += 1) {
    await fate(run(id))
    await end(id)
    expect(await deskFaults(world.sql)).toEqual([])
  }
}

/** Everything that a desk's transaction writes; not what only a statement of its own has read. */
async function stored() {
  const tables = ['postern_order', 'postern_order_event', 'postern_account', 'postern_position']
  const more = ['postern_fill', 'postern_order_quarantine', 'postern_job', 'postern_audit_intake']
  const rows = await Promise.all(
    [...tables, ...more].map((table) => world.sql`select t.*::text from ${world.sql(table)} t`),
  )
  return rows.map((each) => [...each])
}
