import { expect, test } from 'bun:test'
import { formatMoney, moneyOf } from '#core/order/amount.ts'
import { pnlReads } from '#core/order/desk/pnl-reads.ts'
import type { PnlQuery } from '#core/order/desk/pnl-rows.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { seededRandom } from '../../audit/verify/seeded-random.ts'
import { addInstrument } from './desk-rows.ts'
import { fileWorld } from './file-world.ts'
import {
  addAccount,
  callerNamed,
  dayBar,
  fill,
  now,
  openReadsWorld,
  settle,
} from './reads-world.ts'

const world = await fileWorld(openReadsWorld)

const desk = callerNamed('desk').principal
const pnl = () => pnlReads({ sql: world.gateway, now: () => now })

const report = (query: Partial<PnlQuery> = {}) =>
  pnl().report(desk, {
    ...{ account: undefined, start: undefined, end: undefined },
    ...{ method: 'average', daysDefault: 30 },
    ...query,
  })

test.each([
  ['2026-03-03', '2026-03-02'],
  ['2021-01-01', '2026-01-05'],
])('a range from %s to %s is refused', async (start, end) => {
  await addAccount(world.sql, 'mine')
  expect(await settle(report({ start, end }))).toMatchObject({ code: 'request.query_invalid' })
})

test('the longest range is answered', async () => {
  await addAccount(world.sql, 'mine')
  const { days } = await report({ start: '2021-01-01', end: '2026-01-04' })
  expect(days).toHaveLength(1_256)
})

test('an account of somebody else is not found, one without fills has made nothing', async () => {
  await addAccount(world.sql, 'mine')
  await addAccount(world.sql, 'theirs', { traders: ['other'] })
  expect(await settle(report({ account: 'theirs' }))).toMatchObject({ code: 'account.not_found' })
  expect(await report()).toMatchObject({
    ...{ accounts: ['mine'], realised: '0', unrealised: '0', fees: '0', total: '0' },
  })
})

/**
 * Monday to Wednesday, 2 to 4 March 2026: 10 at 100 and 10 at 110 with a fee of 1 each; 5 sold at
 * 120 for a fee of 2; 5 more at 90. Closes: 112, 118, 91.
 */
async function threeDays(account = 'mine') {
  const worker = world.workerDesk
  const buy = { account, fee: '1' }
  await fill(worker, { ...buy, price: '100', at: '2026-03-02T15:00:00Z' })
  await fill(worker, { ...buy, price: '110', at: '2026-03-02T16:00:00Z' })
  const sell = { account, side: 'sell', quantity: '5' } as const
  await fill(worker, { ...sell, price: '120', fee: '2', at: '2026-03-03T15:00:00Z' })
  await fill(worker, { ...sell, price: '90', at: '2026-03-04T15:00:00Z' })
  await dayBar(world.sql, 'AAPL', '2026-03-02', '112')
  await dayBar(world.sql, 'AAPL', '2026-03-03', '118')
  await dayBar(world.sql, 'AAPL', '2026-03-04', '91')
}

const range = { start: '2026-03-02', end: '2026-03-04' }

test('by average cost each day, and all of them together, come to what they do by hand', async () => {
  await addAccount(world.sql, 'mine')
  await threeDays()
  const found = await report(range)
  // 20 at 105 cost 2,100; each sale of 5 takes 525 of it.
  expect(found.days.map((day) => [day.date, day.realised, day.fees, day.unrealised])).toEqual([
    ['2026-03-02', '0', '2', '140'],
    ['2026-03-03', '75', '2', '195'],
    ['2026-03-04', '-75', '0', '-140'],
  ])
  expect(found.days.map((day) => [day.unrealised_change, day.total, day.equity])).toEqual([
    ['140', '138', '100138'],
    ['55', '128', '100266'],
    ['-335', '-410', '99856'],
  ])
  expect(found).toMatchObject({
    ...{ method: 'average', accounts: ['mine'], start_date: '2026-03-02', end_date: '2026-03-04' },
    ...{ realised: '0', fees: '4', unrealised: '-140', unrealised_change: '-140', total: '-144' },
  })
})

test('reports that are asked for at once share their reads, and one that is refused leaves the others', async () => {
  for (const id of ['mine', 'yours']) await addAccount(world.sql, id, { traders: [id] })
  await threeDays('mine')
  let transactions = 0
  const sql = new Proxy(world.gateway, {
    get(of, name) {
      if (name === 'begin') transactions += 1
      return Reflect.get(of, name)
    },
  })
  const reads = pnlReads({ sql, now: () => now })
  const ask = (name: string, query: Partial<PnlQuery> = {}) =>
    reads.report(callerNamed(name).principal, {
      ...{ account: undefined, start: '2026-03-02', end: '2026-03-04' },
      ...{ method: 'average', daysDefault: 30 },
      ...query,
    } as const)
  const alone = { mine: await ask('mine'), yours: await ask('yours') }
  transactions = 0
  const [mine, yours, again] = await Promise.all([ask('mine'), ask('yours'), ask('mine')])
  expect([mine, yours, again]).toEqual([alone.mine, alone.yours, alone.mine])
  // The first left alone, before the others had asked.
  expect(transactions).toBeLessThan(3)
  const [refused, answered] = await Promise.all([
    settle(ask('mine', { account: 'yours' })),
    settle(ask('yours')),
  ])
  expect(refused).toMatchObject({ code: 'account.not_found' })
  expect(answered).toEqual(alone.yours)
})

test('FIFO takes the oldest lots: other days, the same totals', async () => {
  await addAccount(world.sql, 'mine')
  await threeDays()
  const fifo = await report({ ...range, method: 'fifo' })
  // Both sales close the lot at 100; 10 at 110 are left.
  expect(fifo.days.map((day) => [day.realised, day.unrealised, day.total])).toEqual([
    ['0', '140', '138'],
    ['100', '170', '128'],
    ['-50', '-190', '-410'],
  ])
  expect(fifo).toMatchObject({ realised: '50', unrealised: '-190', total: '-144' })
  const average = await report(range)
  expect(fifo.days.map(({ equity }) => equity)).toEqual(average.days.map(({ equity }) => equity))
})

test('a range begins with what was held before it', async () => {
  await addAccount(world.sql, 'mine')
  await threeDays()
  for (const method of ['average', 'fifo'] as const) {
    const whole = await report({ ...range, method })
    const part = await report({ ...range, start: '2026-03-03', method })
    expect(part.days).toEqual(whole.days.slice(1))
    expect(part.total).toBe('-282')
  }
})

test('a day without fills is carried on, a weekend is left out, a fill on it is not', async () => {
  await addAccount(world.sql, 'mine')
  await fill(world.workerDesk, { account: 'mine', price: '100', at: '2026-02-26T15:00:00Z' })
  await fill(world.workerDesk, { account: 'mine', price: '100', at: '2026-02-28T15:00:00Z' })
  await dayBar(world.sql, 'AAPL', '2026-02-26', '101')
  await dayBar(world.sql, 'AAPL', '2026-03-02', '103')
  const { days } = await report({ start: '2026-02-26', end: '2026-03-02' })
  expect(days.map((day) => [day.date, day.unrealised])).toEqual([
    ['2026-02-26', '10'],
    ['2026-02-27', '10'],
    ['2026-02-28', '20'],
    ['2026-03-02', '60'],
  ])
})

test('no day is reported before it has come; without dates the days with fills are', async () => {
  await addAccount(world.sql, 'mine')
  await threeDays()
  const far = await report({ start: '2026-03-04', end: '2026-04-30' })
  expect(far.days.map(({ date }) => date)).toEqual(['2026-03-04', '2026-03-05'])
  expect(far.end_date).toBe('2026-03-05')
  const last = await report({ daysDefault: 2 })
  expect(last.days.map(({ date }) => date)).toEqual(['2026-03-03', '2026-03-04', '2026-03-05'])
})

test('a replay account’s today is that of its market', async () => {
  await addAccount(world.sql, 'mine', { clock: 'replay' })
  await threeDays()
  await world.sql`update postern_market set time = '2026-03-04T21:00:00Z' where clock = 'replay'`
  expect((await report()).end_date).toBe('2026-03-04')
})

test('a mark is the newest close up to the day’s end in New York, of any interval', async () => {
  await addAccount(world.sql, 'mine')
  await fill(world.workerDesk, { account: 'mine', price: '100', at: '2026-03-02T15:00:00Z' })
  await dayBar(world.sql, 'AAPL', '2026-03-02', '101')
  const minute = (time: string, close: string) => world.sql`
    insert into postern_bar (symbol, interval_ms, time, open, high, low, close, volume, ingest)
    values ('AAPL', 60000, ${time}, ${close}, ${close}, ${close}, ${close}, 1,
      ${Bun.randomUUIDv7()})`
  const marked = async () =>
    (await report({ start: '2026-03-02', end: '2026-03-02' })).days[0]?.unrealised
  // At the same time as the day's own bar, which is the official close.
  await minute('2026-03-02T21:00:00Z', '109')
  expect(await marked()).toBe('10')
  await minute('2026-03-03T04:59:00Z', '102')
  expect(await marked()).toBe('20')
  await minute('2026-03-03T05:01:00Z', '109')
  expect(await marked()).toBe('20')
  const atMs = Date.parse('2026-03-03T04:59:30Z')
  await addInstrument(world.sql, 'AAPL', { price: '103', atMs })
  expect(await marked()).toBe('30')
})

test('a day on which something held has no price has no total, and says what', async () => {
  await addAccount(world.sql, 'mine')
  await fill(world.workerDesk, { account: 'mine', price: '100', at: '2026-03-02T15:00:00Z' })
  await dayBar(world.sql, 'AAPL', '2026-03-03', '101')
  const { days } = await report({ start: '2026-03-02', end: '2026-03-04' })
  expect(days.map((day) => [day.unrealised, day.total, day.unmarked])).toEqual([
    [null, null, ['AAPL']],
    ['10', null, []],
    ['10', '0', []],
  ])
})

test('accounts are added up, by either method', async () => {
  await addAccount(world.sql, 'first')
  await addAccount(world.sql, 'second', { cash: '1000' })
  await threeDays('first')
  await fill(world.workerDesk, {
    ...{ account: 'second', side: 'sell', price: '115', at: '2026-03-03T15:00:00Z' },
  })
  for (const method of ['average', 'fifo'] as const) {
    const whole = await report({ ...range, method })
    const parts = await Promise.all(
      ['first', 'second'].map((account) => report({ ...range, account, method })),
    )
    const sum = (of: (part: (typeof parts)[number]) => string | null) =>
      formatMoney(parts.reduce((total, part) => total + moneyOf(of(part) ?? ''), 0n))
    expect(whole.total).toBe(sum(({ total }) => total))
    expect(whole.realised).toBe(sum(({ realised }) => realised))
    expect(whole.days.at(-1)?.equity).toBe(sum(({ days }) => days.at(-1)?.equity ?? null))
  }
})

test('the days of all fills add up to the positions, to the last digit', async () => {
  await addAccount(world.sql, 'mine')
  const { below } = seededRandom(7)
  for (let at = 0; at < 60; at += 1) {
    const day = String(2 + Math.floor(at / 20)).padStart(2, '0')
    await fill(world.workerDesk, {
      account: 'mine',
      symbol: ['AAPL', 'MSFT'][below(2)] ?? 'AAPL',
      side: below(2) === 0 ? 'buy' : 'sell',
      quantity: `${1 + below(30)}.${1 + below(8)}`,
      price: `${90 + below(20)}.${1 + below(98)}`,
      fee: `0.${1 + below(8)}`,
      at: `2026-03-${day}T15:00:${String(at % 20).padStart(2, '0')}Z`,
    })
  }
  const atMs = Date.parse('2026-03-04T20:00:00Z')
  await addInstrument(world.sql, 'AAPL', { price: '100.37', atMs })
  await addInstrument(world.sql, 'MSFT', { price: '99.81', atMs })
  const found = await report(range)
  const held = await positionReads(world.gateway).list(desk, {
    ...{ account: undefined, symbol: undefined },
  })
  const sum = (name: 'realised' | 'fees' | 'unrealised') =>
    formatMoney(held.reduce((total, one) => total + moneyOf(one[name] ?? ''), 0n))
  expect(found.realised).toBe(sum('realised'))
  expect(found.fees).toBe(sum('fees'))
  expect(found.unrealised).toBe(sum('unrealised'))
  const [row] = await world.sql<{ cash: string }[]>`select cash::text from postern_account`
  const value = held.reduce((total, one) => total + moneyOf(one.market_value ?? ''), 0n)
  const change = moneyOf(row?.cash ?? '') + value - moneyOf('100000')
  const fifo = await report({ ...range, method: 'fifo' })
  for (const { total } of [found, fifo]) expect(total).toBe(formatMoney(change))
})

const performance = (query: Partial<PnlQuery> = {}) =>
  pnl().performance(desk, {
    ...{ account: undefined, start: range.start, end: range.end, method: 'average' },
    ...{ daysDefault: 252 },
    ...query,
  })

test('performance is that of the daily equity, annualised by 252', async () => {
  await addAccount(world.sql, 'mine', { cash: '1000' })
  await threeDays()
  // Equity 1,000, 1,138, 1,266, 856.
  const found = await performance()
  expect(found).toMatchObject({
    ...{ days: 3, periods_per_year: 252, start_equity: '1000', end_equity: '856' },
    ...{ wins: 1, losses: 1, win_rate: 0.5 },
  })
  expect(found.total_return).toBeCloseTo(-0.144, 12)
  expect(found.max_drawdown).toBeCloseTo(856 / 1266 - 1, 12)
  const returns = [1138 / 1000 - 1, 1266 / 1138 - 1, 856 / 1266 - 1]
  const mean = returns.reduce((sum, one) => sum + one, 0) / 3
  const variance = returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 2
  expect(found.volatility).toBeCloseTo(Math.sqrt(variance * 252), 12)
  expect(found.sharpe).toBeCloseTo((mean / Math.sqrt(variance)) * Math.sqrt(252), 12)
})

test('what cannot be said is null with its reason', async () => {
  await addAccount(world.sql, 'mine')
  const flat = await performance()
  expect(flat).toMatchObject({ total_return: 0, sharpe: null, win_rate: null })
  expect(flat.reasons).toContainEqual({ metric: 'sharpe', code: 'ZERO_VARIANCE' })
  await fill(world.workerDesk, { account: 'mine', price: '100', at: '2026-03-02T15:00:00Z' })
  const unmarked = await performance()
  expect(unmarked).toMatchObject({ total_return: null, start_equity: null })
  expect(unmarked.reasons).toEqual([{ metric: 'equity', code: 'NO_MARK', detail: 'AAPL' }])
})
