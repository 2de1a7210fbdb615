import { beforeEach, expect, test } from 'bun:test'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import { parseAmount } from '#core/order/amount.ts'
import { clearMarketGauges, setMarketGauges } from '#core/order/desk/market-gauges.ts'
import { type OrderIntake, orderIntake } from '#core/order/desk/order-intake.ts'
import { reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import { type ReportIntake, reportIntake } from '#core/order/desk/report-intake.ts'
import { orderTerms } from '../venue/order-terms.ts'
import { scriptedVenue } from '../venue/scripted-venue.ts'
import { account, noonMs, setSwitch } from './desk-rows.ts'
import { openDeskWorld, tradeReport } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
let metrics: Metrics
let intake: OrderIntake
let reports: ReportIntake
beforeEach(() => {
  metrics = createMetrics()
  intake = orderIntake({ ...world.desk, metrics })
  reports = reportIntake({ ...world.workerDesk, metrics })
})

/** Every series of a metric that is not zero, as `name{labels} value`, without buckets. */
async function series(...names: readonly string[]): Promise<readonly string[]> {
  const text = await metrics.registry.metrics()
  return text
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(name)))
    .filter((line) => !/_bucket\{|_sum| 0$/.test(line))
}

test('an order counts once by what the checks decided, however often its answer is repeated', async () => {
  await world.placeIn(intake, {}, { key: 'key' })
  await world.placeIn(intake, {}, { key: 'key' })
  await world.placeIn(intake, { quantity: parseAmount('3') })
  const order = await world.placeIn(intake, { symbol: 'NOBODY' })
  expect(order.status).toBe('denied')
  expect(await series('postern_orders_entered', 'postern_order_denials', 'postern_desk')).toEqual([
    'postern_orders_entered_total{verdict="accepted"} 2',
    'postern_orders_entered_total{verdict="denied"} 1',
    `postern_order_denials_total{code="${order.reject_code}"} 1`,
    'postern_desk_entry_seconds_count 3',
  ])
})

test('an order that is refused without being stored is not counted', async () => {
  const { client_order_id: clientOrderId } = await world.placeIn(intake, {})
  const refused = world.placeIn(intake, { clientOrderId })
  await expect(refused).rejects.toMatchObject({ code: 'order.client_id_taken' })
  expect(await series('postern_orders_entered')).toEqual([
    'postern_orders_entered_total{verdict="accepted"} 1',
  ])
})

test('a trade counts once, with the time since its order came', async () => {
  const order = await world.live({ limitPrice: parseAmount('100') })
  const first = tradeReport(order.client_order_id, 't1', '4')
  world.clock.nowMs += 2_000
  await reports.apply(first)
  await reports.apply(first)
  await reports.apply(tradeReport(order.client_order_id, 't2', '6'))
  expect(await series('postern_order_fill')).toEqual([
    'postern_order_fills_total{venue="paper"} 2',
    'postern_order_fill_seconds_count{type="limit"} 2',
  ])
  const text = await metrics.registry.metrics()
  expect(text).toContain('postern_order_fill_seconds_sum{type="limit"} 4')
})

test('orders and reports count by how many shared a commit', async () => {
  const order = await world.placeIn(intake, { limitPrice: parseAmount('100') })
  await Promise.all([
    world.placeIn(intake, { limitPrice: parseAmount('101') }),
    world.placeIn(intake, { limitPrice: parseAmount('102') }),
  ])
  await reports.apply(tradeReport(order.client_order_id, 't1', '4'))
  expect(await series('postern_commit')).toEqual([
    'postern_commit_batch_items_count{commit="order"} 2',
    'postern_commit_batch_items_count{commit="report"} 1',
    'postern_commit_seconds_count{commit="order"} 2',
    'postern_commit_seconds_count{commit="report"} 1',
  ])
  const text = await metrics.registry.metrics()
  expect(text).toContain('postern_commit_batch_items_sum{commit="order"} 3')
})

test('switches that hold or narrow trading are counted while they are in force', async () => {
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'MSFT' })
  await setSwitch(world.sql, 'REDUCING', { scope: 'account', key: account })
  await setMarketGauges({ ...world.workerDesk, metrics }, [])
  expect((await series('postern_trading')).toSorted()).toEqual([
    'postern_trading_switches{scope="account",state="REDUCING"} 1',
    'postern_trading_switches{scope="symbol",state="HALTED"} 2',
  ])
  await world.sql`truncate postern_trading_state`
  await setMarketGauges({ ...world.workerDesk, metrics }, [])
  expect(await series('postern_trading')).toEqual([])
})

test('a report that cannot be counts once, by what is wrong with it', async () => {
  const order = await world.live()
  const overfill = tradeReport(order.client_order_id, 't1', '11')
  await reports.apply(overfill)
  await reports.apply(overfill)
  await reports.apply({ account, clientOrderId: 'nobody', event: { type: 'expired' } })
  expect(await series('postern_order')).toEqual([
    'postern_order_quarantined_total{code="OVERFILL"} 1',
    'postern_order_quarantined_total{code="UNKNOWN_ORDER"} 1',
  ])
})

test('what a reconciliation finds counts each time, apart from what it heals', async () => {
  const venue = scriptedVenue({ name: 'paper' })
  const order = await world.place({ limitPrice: parseAmount('100') })
  await world.runJobs(venue)
  // Nobody listened while it traded, and one more order is the venue's alone.
  venue.trade('AAPL', parseAmount('4'), parseAmount('100'))
  await venue.submit(orderTerms({ symbol: 'MSFT' }), new AbortController().signal)
  const options = {
    desk: { ...world.workerDesk, metrics },
    ...{
      reports,
      venues: new Map([['paper', venue]]),
      reads: reconcileReads(world.workerDesk.sql),
    },
  }
  const { signal } = new AbortController()
  const result = await reconcileAccount(options, { account, day: undefined, signal })
  await reconcileAccount(options, { account, day: undefined, signal })
  const standing = result.mismatches.filter(({ healed }) => !healed)
  const healed = result.mismatches.filter((one) => one.healed)
  expect([standing.length, healed.length]).toEqual([1, 1])
  expect(await series('postern_reconcile')).toEqual([
    `postern_reconcile_mismatches_total{class="${healed[0]?.class}",healed="true"} 1`,
    `postern_reconcile_mismatches_total{class="${standing[0]?.class}",healed="false"} 2`,
  ])
  expect(order.status).toBe('accepted')
})

test('the market shows its breaker, and its age only while an open order needs it', async () => {
  const working = { ...world.workerDesk, metrics }
  const open = { clock: 'live', hasOpen: true } as const
  const ageOf = async (
    ...accounts: readonly (typeof open | { clock: 'replay'; hasOpen: true })[]
  ) => {
    await setMarketGauges(working, accounts)
    return (await series('postern_market_stale_seconds'))[0]
  }
  await world.sql`update postern_market set time = ${new Date(noonMs - 90_000)}`
  expect(await ageOf()).toBeUndefined()
  expect(await ageOf({ clock: 'replay', hasOpen: true })).toBeUndefined()
  expect(await ageOf(open)).toBe('postern_market_stale_seconds 90')
  expect(await series('postern_market_breaker')).toEqual([
    'postern_market_breaker{clock="live",status="UNKNOWN"} 1',
    'postern_market_breaker{clock="replay",status="UNKNOWN"} 1',
  ])
  // A Saturday: nothing is expected of the market.
  world.clock.nowMs = noonMs + 86_400_000
  expect(await ageOf(open)).toBeUndefined()
})

test('a process that no longer keeps the desk says nothing of the market', async () => {
  await world.sql`update postern_market set time = null`
  await setMarketGauges({ ...world.workerDesk, metrics }, [{ clock: 'live', hasOpen: true }])
  expect(await series('postern_market')).toHaveLength(3)
  clearMarketGauges(metrics)
  expect(await series('postern_market')).toEqual([])
})
