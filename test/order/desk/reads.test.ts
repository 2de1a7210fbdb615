import { expect, test } from 'bun:test'
import { z } from 'zod'
import { accountReads } from '#core/order/desk/account-reads.ts'
import { fillReads } from '#core/order/desk/fill-reads.ts'
import { orderReads } from '#core/order/desk/order-reads.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { fileWorld } from './file-world.ts'
import {
  addAccount,
  callerNamed,
  fill,
  live,
  now,
  openReadsWorld,
  passed,
  place,
  settle,
} from './reads-world.ts'

const world = await fileWorld(openReadsWorld)

const desk = callerNamed('desk').principal
const stranger = callerNamed('stranger').principal
const anything = {
  ...{ account: undefined, status: undefined, symbol: undefined, isOpen: undefined },
  ...{ limit: 50, cursor: undefined },
}
const anyFill = { account: undefined, symbol: undefined, orderId: undefined, limit: 50 }
const orders = () => orderReads(world.gateway)
const fills = () => fillReads(world.gateway)
const positions = () => positionReads(world.gateway)
const account = () => accountReads({ sql: world.gateway, now: () => now })
const nobody = '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'

async function twoAccounts() {
  await addAccount(world.sql, 'mine')
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
}

test('what a stranger asks for is not there, and neither is what never was', async () => {
  await twoAccounts()
  const id = await place(world.desk, { account: 'mine' })
  const absent = { code: 'order.not_found' }
  for (const [who, what] of [
    [stranger, id],
    [desk, nobody],
  ] as const) {
    expect(await settle(orders().find(who, what))).toMatchObject(absent)
    expect(await settle(orders().events(who, what, { from: 0, limit: 9 }))).toMatchObject(absent)
  }
  expect((await orders().list(stranger, anything)).orders).toEqual([])
  expect((await fills().list(stranger, { ...anyFill, cursor: undefined })).fills).toEqual([])
  expect(await positions().list(stranger, { account: undefined, symbol: undefined })).toEqual([])
  expect(await settle(account().find(stranger, undefined))).toMatchObject({
    code: 'account.not_found',
  })
})

test.each(['theirs', 'none'])('an account %s that is not the caller’s is not found', async (id) => {
  await twoAccounts()
  const refused = { code: 'account.not_found' }
  const one = { account: id, symbol: undefined }
  expect(await settle(orders().list(desk, { ...anything, account: id }))).toMatchObject(refused)
  expect(
    await settle(fills().list(desk, { ...anyFill, account: id, cursor: undefined })),
  ).toMatchObject(refused)
  expect(await settle(fills().recent(desk, { account: id, limit: 1 }))).toMatchObject(refused)
  expect(await settle(positions().list(desk, one))).toMatchObject(refused)
  expect(await settle(account().find(desk, id))).toMatchObject(refused)
})

test('a document of one account names those to choose from', async () => {
  await addAccount(world.sql, 'first')
  await addAccount(world.sql, 'second')
  expect(await settle(account().find(desk, undefined))).toMatchObject({
    code: 'request.query_invalid',
    detail: expect.stringContaining('first, second'),
  })
  expect((await account().find(desk, 'second')).id).toBe('second')
})

test('a trader who is taken off an account no longer sees its orders', async () => {
  await addAccount(world.sql, 'mine')
  const id = await place(world.desk, { account: 'mine' })
  expect((await orders().find(desk, id)).id).toBe(id)
  await world.sql`delete from postern_account_trader`
  expect(await settle(orders().find(desk, id))).toMatchObject({ code: 'order.not_found' })
})

test('orders of all own accounts come newest first, in pages that neither repeat nor skip', async () => {
  await addAccount(world.sql, 'a')
  await addAccount(world.sql, 'b')
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
  const placed: string[] = []
  for (const id of ['a', 'b', 'a', 'a', 'b', 'theirs', 'a']) {
    const order = await place(world.desk, { account: id })
    if (id !== 'theirs') placed.unshift(order)
  }
  const read: string[] = []
  let cursor: string | undefined
  do {
    const page = await orders().list(desk, { ...anything, limit: 2, cursor })
    read.push(...page.orders.map((order) => order.id))
    cursor = page.next
  } while (cursor !== undefined)
  expect(read).toEqual(placed)
})

test('orders are found by account, status, symbol and whether they are open', async () => {
  await addAccount(world.sql, 'a')
  await addAccount(world.sql, 'b')
  const open = await place(world.desk, { account: 'a' })
  const waiting = await place(world.desk, { account: 'a', symbol: 'MSFT' }, passed)
  const gone = await place(world.desk, { account: 'b' }, [
    ...live,
    { type: 'venue.canceled', reason: 'test' },
  ])
  const found = async (filter: Partial<typeof anything> | object) =>
    (await orders().list(desk, { ...anything, ...filter })).orders.map(({ id }) => id)
  expect(await found({})).toEqual([gone, waiting, open])
  expect(await found({ account: 'a' })).toEqual([waiting, open])
  expect(await found({ status: 'accepted' })).toEqual([waiting])
  expect(await found({ symbol: 'AAPL' })).toEqual([gone, open])
  expect(await found({ isOpen: true })).toEqual([waiting, open])
  expect(await found({ isOpen: false })).toEqual([gone])
})

test.each([
  ['accepted', 'new'],
  ['pending_new', 'rejected'],
  ['pending_cancel', 'canceled'],
  ['pending_replace', 'replaced'],
])(
  'a wait of an order that is %s ends when it is decided, and after its time with the order as it stands',
  async (status, decided) => {
    await addAccount(world.sql, 'mine')
    const id = await place(world.desk, { account: 'mine' }, passed)
    await world.sql`update postern_order set status = ${status} where id = ${id}`
    const { signal } = new AbortController()
    const wait = (timeoutMs: number) => orders().find(desk, id, { timeoutMs, signal })
    expect<string>((await wait(1)).status).toBe(status)
    const waiting = wait(30_000)
    await world.sql`update postern_order set status = ${decided} where id = ${id}`
    expect<string>((await waiting).status).toBe(decided)
  },
)

test('a wait ends when the caller leaves', async () => {
  await addAccount(world.sql, 'mine')
  const id = await place(world.desk, { account: 'mine' }, passed)
  const left = new AbortController()
  const waiting = orders().find(desk, id, { timeoutMs: 30_000, signal: left.signal })
  left.abort()
  expect((await waiting).status).toBe('accepted')
})

test('the events of an order are numbered from 0 without a gap, in the words of the wire', async () => {
  await addAccount(world.sql, 'mine')
  const id = await fill(world.workerDesk, {
    ...{ account: 'mine', price: '99.5', at: '2026-03-04T15:00:00Z', fee: '0.25' },
  })
  const events = await orders().events(desk, id, { from: 0, limit: 50 })
  expect(events.map(({ seq, type }) => [seq, type])).toEqual([
    [0, 'submit'],
    [1, 'risk.pass'],
    [2, 'worker.sent'],
    [3, 'venue.ack'],
    [4, 'trade'],
  ])
  expect(events[3]?.details).toEqual({ venue_order_id: 'v-1' })
  expect(events[4]?.details).toEqual({
    trade: {
      trade_id: expect.stringContaining('trade-'),
      ...{ quantity: '10', price: '99.5', fee: '0.25', at: Date.parse('2026-03-04T15:00:00Z') },
    },
  })
  expect(await orders().events(desk, id, { from: 3, limit: 1 })).toEqual(events.slice(3, 4))
})

const tenth = { price: '100', at: '2026-03-04T15:00:00Z' }

test('fills come in the order of booking, page by page, and a kept cursor finds later ones', async () => {
  await addAccount(world.sql, 'a')
  await addAccount(world.sql, 'b')
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
  const placed: string[] = []
  for (const id of ['a', 'b', 'theirs', 'b', 'a', 'b']) {
    const order = await fill(world.workerDesk, { account: id, ...tenth })
    if (id !== 'theirs') placed.push(order)
  }
  const read: string[] = []
  let cursor: string | undefined
  let resume: string | undefined
  do {
    const page = await fills().list(desk, { ...anyFill, limit: 2, cursor })
    read.push(...page.fills.map((one) => one.order_id))
    ;({ next: cursor, resume } = page)
  } while (cursor !== undefined)
  expect(read).toEqual(placed)
  const none = await fills().list(desk, { ...anyFill, cursor: resume })
  expect(none).toEqual({ fills: [], next: undefined, resume })
  const later = await fill(world.workerDesk, { account: 'a', ...tenth })
  const after = await fills().list(desk, { ...anyFill, cursor: resume })
  expect(after.fills.map((one) => one.order_id)).toEqual([later])
  const recent = await fills().recent(desk, { account: undefined, limit: 2 })
  expect(recent.map((one) => one.order_id)).toEqual([later, placed.at(-1) ?? ''])
})

test('of those who read in one statement each gets what is his', async () => {
  await addAccount(world.sql, 'a')
  await addAccount(world.sql, 'b')
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
  await addAccount(world.sql, 'empty')
  for (const of of ['a', 'b', 'theirs']) await fill(world.workerDesk, { account: of, ...tenth })
  const other = callerNamed('other').principal
  const asked = [
    ...[desk, other, stranger].map((who) => ({ who, account: undefined, limit: 9 })),
    ...['a', 'b', 'empty', 'theirs', 'none'].map((of) => ({ who: desk, account: of, limit: 9 })),
    { who: desk, account: undefined, limit: 1 },
  ]
  const [held, booked] = [positions(), fills()]
  const accountsOf = (list: unknown) =>
    z
      .array(z.object({ account: z.string() }))
      .safeParse(list)
      .data?.map((one) => one.account)
  const [fates, recent] = await Promise.all([
    Promise.all(
      asked.map(({ who, account: of }) =>
        settle(held.list(who, { account: of, symbol: undefined })),
      ),
    ),
    Promise.all(
      asked.map(({ who, account: of, limit }) =>
        settle(booked.recent(who, { account: of, limit })),
      ),
    ),
  ])
  const refused = undefined
  const expected = [['a', 'b'], ['theirs'], [], ['a'], ['b'], [], refused, refused]
  expect(fates.map(accountsOf)).toEqual([...expected, ['a', 'b']])
  expect(recent.map((one) => accountsOf(one)?.toSorted())).toEqual([...expected, ['b']])
})

test('a kept cursor finds a fill whose transaction was overtaken by another account’s', async () => {
  await addAccount(world.sql, 'a')
  await addAccount(world.sql, 'b')
  await fill(world.workerDesk, { account: 'a', ...tenth })
  const slow = await fill(world.workerDesk, { account: 'b', ...tenth })
  await fill(world.workerDesk, { account: 'a', ...tenth })
  // As a reader sees it while the transaction of the second is still under way.
  const [row] = await world.sql`delete from postern_fill where order_id = ${slow} returning *`
  const { resume } = await fills().list(desk, { ...anyFill, cursor: undefined })
  await world.sql`
    insert into postern_fill overriding system value
    select * from jsonb_populate_record(null::postern_fill, ${world.sql.json(JSON.parse(JSON.stringify(row)))})`
  const after = await fills().list(desk, { ...anyFill, cursor: resume })
  expect(after.fills.map((one) => one.order_id)).toEqual([slow])
})

test.each(['x', 'e30x', Buffer.from('{"a":"1; drop"}').toString('base64url')])(
  'a cursor of fills that is not ours is refused: %p',
  async (cursor) => {
    await addAccount(world.sql, 'mine')
    expect(await settle(fills().list(desk, { ...anyFill, cursor }))).toMatchObject({
      code: 'request.query_invalid',
    })
  },
)

test('a caller with 33 accounts names one for its fills', async () => {
  for (let at = 0; at < 33; at += 1) await addAccount(world.sql, `account-${at}`)
  expect(await settle(fills().list(desk, { ...anyFill, cursor: undefined }))).toMatchObject({
    code: 'request.query_invalid',
  })
  const one = await fills().list(desk, { ...anyFill, account: 'account-7', cursor: undefined })
  expect(one.fills).toEqual([])
})
