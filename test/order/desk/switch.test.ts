import { expect, test } from 'bun:test'
import { deskTransaction } from '#core/order/desk/desk-transaction.ts'
import { type HaltRequest, tradingControl } from '#core/order/desk/trading-control.ts'
import { tradingReads } from '#core/order/desk/trading-reads.ts'
import type { OrderEvent } from '#core/order/order.ts'
import { orderRow } from './desk-rows.ts'
import { fileWorld } from './file-world.ts'
import {
  addAccount,
  callerNamed,
  enter,
  live,
  now,
  openReadsWorld,
  passed,
  place,
  recordsOf,
  sent,
  settle,
} from './reads-world.ts'

const world = await fileWorld(openReadsWorld)

const control = () => tradingControl(world.desk)
const [ann, bob, cid] = [callerNamed('ann'), callerNamed('bob'), callerNamed('cid')]
const everything = { scope: 'global', key: '' } as const
const halt = (request: Partial<HaltRequest> = {}, who = ann) =>
  control().halt(
    { ...everything, state: 'HALTED', reason: 'test', until: undefined, ...request },
    who,
  )
const rearm = (who: typeof ann, name: Pick<HaltRequest, 'scope' | 'key'> = everything) =>
  control().rearm({ ...name, reason: 'over' }, who)
const stateNow = async (at = now) => (await tradingReads(world.gateway).state(at)).switches
const statusOf = async (id: string) => (await orderRow(world.sql, id))?.['status']

test('one principal alone never leaves HALTED, however often it asks', async () => {
  await halt()
  expect(await rearm(ann)).toEqual({ status: 'awaiting_second' })
  const again = { code: 'trading.second_principal_needed' }
  expect(await settle(rearm(ann))).toMatchObject(again)
  expect(await settle(rearm(ann))).toMatchObject(again)
  expect(await stateNow()).toMatchObject([
    { state: 'HALTED', rearm_by: 'https://issuer.example ann' },
  ])
})

test('the same subject of another issuer is another principal', async () => {
  await halt()
  await rearm(ann)
  const twin = callerNamed('ann', 'https://other.example')
  expect(await rearm(twin)).toEqual({ status: 'active' })
})

test('who mints tokens is one with all that it had made, and two with those of another', async () => {
  await halt()
  const mintedBy = (name: string, by: string) => {
    const caller = callerNamed(name, 'https://postern.example')
    const principal = { ...caller.principal, mintedBy: `https://issuer.example ${by}` }
    return { ...caller, principal }
  }
  expect(await rearm(mintedBy('first', 'ann'))).toEqual({ status: 'awaiting_second' })
  const again = { code: 'trading.second_principal_needed' }
  expect(await settle(rearm(mintedBy('second', 'ann')))).toMatchObject(again)
  expect(await settle(rearm(ann))).toMatchObject(again)
  expect(await stateNow()).toMatchObject([
    { state: 'HALTED', rearm_by: 'https://issuer.example ann' },
  ])
  expect(await rearm(mintedBy('first', 'bob'))).toEqual({ status: 'active' })
})

test('two who differ leave HALTED, and both are in the record', async () => {
  await halt()
  expect(await rearm(bob)).toEqual({ status: 'awaiting_second' })
  expect(await rearm(ann)).toEqual({ status: 'active' })
  expect(await stateNow()).toEqual([])
  expect(await recordsOf(world.sql, 'trading.rearm_requested')).toMatchObject([
    { target: 'trading/global', actor: { sub: 'bob' }, details: { state: 'HALTED' } },
  ])
  expect(await recordsOf(world.sql, 'trading.state_changed')).toMatchObject([
    { actor: { sub: 'ann' }, details: { state: 'HALTED', previous: 'ACTIVE' } },
    {
      actor: { sub: 'ann' },
      details: { state: 'ACTIVE', previous: 'HALTED', rearmBy: 'https://issuer.example bob' },
    },
  ])
})

test('a new halt in between undoes the word of the first', async () => {
  await halt()
  await rearm(ann)
  await halt({}, cid)
  expect(await rearm(bob)).toEqual({ status: 'awaiting_second' })
  expect(await stateNow()).toMatchObject([{ state: 'HALTED' }])
})

test('two who ask at once: one waits, the other completes, and the same two times one does not', async () => {
  for (let round = 0; round < 5; round += 1) {
    await halt()
    const answers = await Promise.all([rearm(ann), rearm(bob)])
    expect(answers.map(({ status }) => status).sort()).toEqual(['active', 'awaiting_second'])
    expect(await stateNow()).toEqual([])
    await halt()
    const same = await Promise.all([rearm(ann), settle(rearm(ann))].map(settle))
    expect(same).toContainEqual({ status: 'awaiting_second' })
    expect(same).toContainEqual(
      expect.objectContaining({ code: 'trading.second_principal_needed' }),
    )
    expect(await stateNow()).toMatchObject([{ state: 'HALTED' }])
    await rearm(bob)
  }
})

test('REDUCING never lowers HALTED; one principal leaves REDUCING', async () => {
  await halt()
  expect(await halt({ state: 'REDUCING' })).toMatchObject({ state: 'HALTED', canceled: 0 })
  expect(await stateNow()).toMatchObject([{ state: 'HALTED' }])
  await rearm(ann)
  await rearm(bob)
  expect(await halt({ state: 'REDUCING' })).toMatchObject({ state: 'REDUCING' })
  expect(await rearm(ann)).toEqual({ status: 'active' })
  expect(await rearm(ann)).toEqual({ status: 'active' })
  expect(await stateNow()).toEqual([])
})

const hours = (count: number) => new Date(now.getTime() + count * 3_600_000)

test('a halt ends at its time, and a second one never ends it sooner', async () => {
  await halt({ until: hours(2) })
  await halt({ until: hours(1) })
  expect(await stateNow(hours(1.5))).toMatchObject([{ state: 'HALTED' }])
  expect(await stateNow(hours(2))).toEqual([])
  await halt()
  await halt({ until: hours(1) })
  expect(await stateNow(hours(999))).toMatchObject([{ state: 'HALTED', until: null }])
})

test('what may only be reduced until a person says so is not let go by a halt with an end', async () => {
  const symbol = { scope: 'symbol', key: 'AAPL' } as const
  await halt({ ...symbol, state: 'REDUCING' })
  await halt({ ...symbol, until: hours(1) })
  expect(await stateNow(hours(2))).toMatchObject([{ scope: 'symbol', state: 'HALTED' }])
})

test('an account that is not there cannot be halted', async () => {
  const none = { scope: 'account', key: 'none' } as const
  expect(await settle(halt(none))).toMatchObject({ code: 'account.not_found' })
  expect(await settle(rearm(ann, none))).toMatchObject({ code: 'account.not_found' })
  expect(await stateNow()).toEqual([])
})

test('a halt cancels what no venue has, asks venues for the rest, and leaves what is on its way', async () => {
  await addAccount(world.sql, 'mine')
  await addAccount(world.sql, 'other')
  const ack: OrderEvent = { type: 'done_for_day' }
  const orders = {
    accepted: await place(world.desk, { account: 'mine' }, passed),
    held: await place(world.desk, { account: 'other' }, [...passed, { type: 'halt', reason: 'x' }]),
    live: await place(world.desk, { account: 'mine' }),
    done: await place(world.desk, { account: 'mine' }, [...live, ack]),
    sent: await place(world.desk, { account: 'mine' }, sent),
    asked: await place(world.desk, { account: 'other' }, [...live, { type: 'cancel.request' }]),
    over: await place(world.desk, { account: 'mine' }, [
      ...live,
      { type: 'venue.canceled', reason: 'x' },
    ]),
  }
  expect(await halt()).toEqual({ state: 'HALTED', canceled: 2, canceling: 2, left: 2 })
  expect(await Promise.all(Object.values(orders).map(statusOf))).toEqual([
    ...['canceled', 'canceled', 'pending_cancel', 'pending_cancel'],
    ...['pending_new', 'pending_cancel', 'canceled'],
  ])
  // Whoever takes orders to venues has been told of those two.
  expect(world.sent.map(({ payload }) => payload)).toEqual([
    {
      venue: 'paper',
      orders: [orders.live, orders.done].map((id) => ({ account: 'mine', id })),
    },
  ])
  const [account] = await world.sql`
    select reserved::text, open_orders from postern_account where id = 'mine'`
  expect(account).toMatchObject({ open_orders: 3 })
  const again = await halt()
  expect(again).toEqual({ state: 'HALTED', canceled: 0, canceling: 0, left: 4 })
})

test.each([
  ['account', 'mine', ['mine AAPL trend', 'mine MSFT -']],
  ['strategy', 'trend', ['mine AAPL trend', 'other MSFT trend']],
  ['symbol', 'MSFT', ['mine MSFT -', 'other MSFT trend']],
] as const)('a halt of one %s cancels its orders and no others', async (scope, key, expected) => {
  await addAccount(world.sql, 'mine')
  await addAccount(world.sql, 'other')
  await place(world.desk, { account: 'mine', strategy: 'trend' }, passed)
  await place(world.desk, { account: 'mine', symbol: 'MSFT' }, passed)
  await place(world.desk, { account: 'other', symbol: 'MSFT', strategy: 'trend' }, passed)
  await place(world.desk, { account: 'other' }, passed)
  expect(await halt({ scope, key })).toMatchObject({ canceled: 2, left: 0 })
  const rows = await world.sql<{ name: string }[]>`
    select account || ' ' || symbol || ' ' || coalesce(strategy, '-') as name from postern_order
    where status = 'canceled' order by name`
  expect(rows.map(({ name }) => name)).toEqual([...expected])
})

test('more orders than one transaction takes are all cancelled', async () => {
  await addAccount(world.sql, 'mine')
  await deskTransaction(world.desk, { accounts: ['mine'] }, ({ desk }) => {
    for (let at = 0; at < 401; at += 1) enter(desk, { account: 'mine' }, passed)
  })
  expect(await halt()).toMatchObject({ canceled: 401, canceling: 0, left: 0 })
  const [account] = await world.sql`
    select reserved::text, open_orders from postern_account where id = 'mine'`
  expect(account).toEqual({ reserved: '0.000000000000000000', open_orders: 0 })
})

test('an order that is being decided while the halt commits does not slip through it', async () => {
  await addAccount(world.sql, 'mine')
  const locked = Promise.withResolvers<void>()
  const halted = Promise.withResolvers<void>()
  const entering = deskTransaction(world.desk, { accounts: ['mine'] }, async ({ desk }) => {
    locked.resolve()
    // It has read the switches as they were before; the halt commits now.
    await halted.promise
    return enter(desk, { account: 'mine' }, passed)
  })
  await locked.promise
  const halting = halt()
  for (;;) {
    const [row] = await world.sql<{ waiting: boolean }[]>`
      select exists (select from pg_stat_activity where wait_event_type = 'Lock'
        and query like '%for share%') as waiting`
    if (row?.waiting === true) break
  }
  expect(await stateNow()).toMatchObject([{ state: 'HALTED' }])
  halted.resolve()
  expect(await halting).toMatchObject({ canceled: 1 })
  expect(await statusOf(await entering)).toBe('canceled')
})

test('a switch and its record are one: without the record nothing is halted', async () => {
  await world.sql`
    create function refuse_records() returns trigger language plpgsql as
      $$ begin raise exception 'full' using errcode = '53100'; end $$`
  await world.sql`create trigger refuse before insert on postern_audit_intake
    for each row execute function refuse_records()`
  try {
    expect(await settle(halt())).toMatchObject({ code: 'audit.unavailable' })
    expect(await stateNow()).toEqual([])
  } finally {
    await world.sql`drop function refuse_records cascade`
  }
})

test('an account that its drawdown has halted starts anew when two have re-armed it', async () => {
  await addAccount(world.sql, 'mine')
  const drawdown = {
    ...{ day: '2026-03-04', dayStart: '100000', highWater: '100000', equity: '79000' },
    ...{ level: 3, reducingUntil: null, isHalted: true },
  }
  await world.sql`update postern_account set drawdown = ${world.sql.json(drawdown)}`
  const mine = { scope: 'account', key: 'mine' } as const
  await halt(mine)
  const halted = async () =>
    (await world.sql`select drawdown from postern_account`)[0]?.['drawdown']
  await rearm(ann, mine)
  expect(await halted()).toMatchObject({ isHalted: true })
  expect(await rearm(bob, mine)).toEqual({ status: 'active' })
  expect(await halted()).toEqual({
    ...{ day: '2026-03-05', dayStart: '79000', highWater: '79000', equity: '79000' },
    ...{ level: 0, reducingUntil: null, isHalted: false },
  })
})
