import { expect, test } from 'bun:test'
import { accountReads } from '#core/order/desk/account-reads.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { fileWorld } from './file-world.ts'
import { addAccount, callerNamed, dayBar, fill, now, openReadsWorld, place } from './reads-world.ts'

const world = await fileWorld(openReadsWorld)

const desk = callerNamed('desk').principal
const positions = () => positionReads(world.gateway)
const account = () => accountReads({ sql: world.gateway, now: () => now })
const tenth = { price: '100', at: '2026-03-04T15:00:00Z' }

async function priced(
  symbol: string,
  last: string,
  quote: Readonly<Record<string, string | number | boolean>> | null = null,
) {
  await world.sql`
    insert into postern_instrument (symbol, last_price, last_time, quote)
    values (${symbol}, ${last}, '2026-03-05T16:00:00Z', ${quote === null ? null : world.sql.json(quote)})`
}

const quoteAt = (bid: string, ask: string) => ({
  ...{ time: Date.parse('2026-03-05T16:30:00Z'), bid, ask, bidSize: 1, askSize: 1 },
  ...{ medianSpread: 0, isLive: true },
})

test('positions are valued at the mid of a sane quote, else at the last price, else not at all', async () => {
  await addAccount(world.sql, 'mine')
  for (const symbol of ['MID', 'WIDE', 'NONE']) {
    await fill(world.workerDesk, { account: 'mine', symbol, ...tenth, fee: '1.5' })
  }
  await priced('MID', '120', quoteAt('110', '110.5'))
  await priced('WIDE', '120', quoteAt('110', '130'))
  const found = await positions().list(desk, { account: undefined, symbol: undefined })
  expect(found.map((one) => [one.symbol, one.mark_source, one.mark_price])).toEqual([
    ['MID', 'mid', '110.25'],
    ['NONE', null, null],
    ['WIDE', 'last', '120'],
  ])
  expect(found[0]).toMatchObject({
    ...{ account: 'mine', quantity: '10', average_price: '100', cost: '1000' },
    ...{ market_value: '1102.5', unrealised: '102.5', realised: '0', fees: '1.5' },
    mark_at: '2026-03-05T16:30:00.000Z',
  })
  expect(found[1]).toMatchObject({ market_value: null, unrealised: null, cost: '1000' })
})

test('an account’s figures are those of the checks, its equity that of its marks', async () => {
  await addAccount(world.sql, 'mine')
  await priced('AAPL', '110')
  await priced('MSFT', '50')
  await fill(world.workerDesk, { account: 'mine', ...tenth, fee: '2' })
  await fill(world.workerDesk, {
    account: 'mine',
    symbol: 'MSFT',
    side: 'sell',
    ...tenth,
    price: '40',
  })
  await place(world.desk, { account: 'mine', quantity: '3' })
  // 100,000 - 1,000 - 2 + 400 = 99,398; less 1.5 * 500 and 300 held by the open order.
  expect(await account().find(desk, undefined)).toMatchObject({
    ...{ id: 'mine', starting_cash: '100000', cash: '99398', reserved: '300' },
    ...{ buying_power: '98348', short_value: '500', open_orders: 1 },
    // 99,398 + 1,100 - 500.
    ...{ equity: '99998', unmarked: [], drawdown: null },
    trading_state: { state: 'ACTIVE', scope: 'global', reason: '' },
    clock_time: now.toISOString(),
  })
})

test('an account that holds something without a price has no equity, and says what', async () => {
  await addAccount(world.sql, 'mine', { clock: 'replay' })
  await fill(world.workerDesk, { account: 'mine', ...tenth })
  await dayBar(world.sql, 'AAPL', '2026-03-04', '100')
  expect(await account().find(desk, undefined)).toMatchObject({
    ...{ equity: null, unmarked: ['AAPL'], clock_time: null },
  })
})

test('an account says which switch stops it, its drawdown included', async () => {
  await addAccount(world.sql, 'mine')
  await world.sql`
    insert into postern_trading_state (scope, key, state, reason, set_by)
    values ('account', 'mine', 'REDUCING', 'test', 'x'), ('symbol', 'AAPL', 'HALTED', 'test', 'x')`
  const drawdown = {
    ...{ day: '2026-03-05', dayStart: '100000', highWater: '100000', equity: '79000' },
    ...{ level: 3, reducingUntil: null, isHalted: true },
  }
  await world.sql`update postern_account set drawdown = ${world.sql.json(drawdown)}`
  const found = await account().find(desk, undefined)
  expect(found.trading_state).toEqual({
    ...{ state: 'REDUCING', scope: 'account mine', reason: 'test' },
  })
  expect(found.drawdown).toEqual({
    ...{ state: 'HALTED', level: 3, day: '2026-03-05', equity: '79000' },
    ...{ day_start_equity: '100000', high_water_equity: '100000' },
  })
})
