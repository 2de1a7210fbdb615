import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { addAccount, addInstrument, setLimit, trader } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
expectNoFaultsAfterEach(world)

const amount = parseAmount

test('a twin within the window is denied, and after it is not; 0 switches the check off', async () => {
  const first = await world.place()
  expect(first.status).toBe('accepted')
  world.clock.nowMs += 499
  expect((await world.place()).reject_code).toBe('DUPLICATE_ORDER')
  // Two of one commit are twins as well.
  const pair = { quantity: amount('11') }
  const both = await Promise.all([world.place(pair), world.place(pair)])
  expect(both.map((order) => order.reject_code)).toEqual([undefined, 'DUPLICATE_ORDER'])
  world.clock.nowMs += 500
  expect((await world.place()).status).toBe('accepted')
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  expect((await world.place()).status).toBe('accepted')
})

test('another price, side, type or time in force is no twin', async () => {
  const changes: readonly Partial<OrderTerms>[] = [
    {},
    { limitPrice: amount('99.99') },
    { timeInForce: 'gtc' },
    { quantity: amount('11') },
    { type: 'market' },
  ]
  for (const change of changes) {
    expect((await world.place(change)).status).toBe('accepted')
  }
})

test('notional counts for a minute, by what was entered and not by what was executed', async () => {
  await setLimit(world.sql, 'notional_per_minute_max', '2500')
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  await world.place()
  await world.requests.cancel((await world.place()).id, trader)
  expect((await world.place()).reject_code).toBe('NOTIONAL_RATE_EXCEEDED')
  world.clock.nowMs += 59_000
  await addInstrument(world.sql, 'AAPL', { atMs: world.clock.nowMs })
  expect((await world.place()).reject_code).toBe('NOTIONAL_RATE_EXCEEDED')
  world.clock.nowMs += 2_000
  expect((await world.place()).status).toBe('accepted')
})

test('what the firm holds in all accounts, and in one sector, is limited together', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  await addInstrument(world.sql, 'XOM', { sector: 'Energy' })
  await addInstrument(world.sql, 'CVX', { sector: 'Energy' })
  await setLimit(world.sql, 'exposure_max', '3500', 'firm', '')
  await setLimit(world.sql, 'exposure_max', '1500', 'sector', 'Energy')
  const place = (name: string, symbol: string) => world.place({ account: name, symbol })
  expect((await place('desk-1', 'XOM')).status).toBe('accepted')
  const second = await place('desk-2', 'CVX')
  expect(second.reject_details).toEqual([
    'FIRM_EXPOSURE_LIMIT scope=sector gross=1000 notional=1000 max=1500',
  ])
  expect((await place('desk-2', 'AAPL')).status).toBe('accepted')
  expect((await place('desk-1', 'AAPL')).status).toBe('accepted')
  world.clock.nowMs += 1_000
  expect((await place('desk-2', 'AAPL')).reject_details).toEqual([
    'FIRM_EXPOSURE_LIMIT scope=firm gross=3000 notional=1000 max=3500',
  ])
})
