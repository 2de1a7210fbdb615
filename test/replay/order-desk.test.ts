import { expect, test } from 'bun:test'
import { unit } from '#core/order/amount.ts'
import {
  cancelSide,
  type Desk,
  enterOrder,
  expireOrders,
  matchOpen,
  openDesk,
} from '#core/replay/order-desk.ts'
import type { DeskMarket } from '#core/replay/order-entry.ts'
import { orderTally } from '#core/replay/order-tally.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { cash } from './replay-world.ts'

const openMs = Date.parse('2024-03-04T14:30:00Z')
const quote = { time: openMs + 60_000, bid: 99.99e9, ask: 100.01e9, bidSize: 1, askSize: 1 }
const market: DeskMarket = {
  ...{ clockMs: openMs + 60_000, atMs: openMs + 60_000, price: 100n * unit, quote },
  ...{ medianSpread: 20_000_000n, meanBarVolume: 400_000, volatilityPercent: 15 },
  ...{ verdict: { kind: 'open' }, band: undefined, haltedUntilMs: undefined, drawdown: undefined },
}

function desk(): Desk {
  return openDesk({ cash, symbol: 'TEST', rules: replayRules(cash), tally: orderTally() })
}

function buy(at: Desk, shares: number, clockMs = market.clockMs) {
  const asked = {
    side: 'buy',
    quantity: BigInt(shares) * unit,
    timeInForce: 'day',
    strategy: 's',
  } as const
  return enterOrder(at, asked, { ...market, clockMs })
}

const bar = {
  time: openMs + 120_000,
  ...{ open: 100e9, high: 100e9, low: 100e9, close: 100e9, volume: 400_000 },
}
const venue = {
  startMs: openMs + 60_000,
  bar,
  quote: undefined,
  isHalted: false,
  random: () => 0.5,
}

test('of two orders that fit alone but not together the second is denied', () => {
  const one = desk()
  expect(buy(one, 600)).toMatchObject({ verdict: 'pass' })
  expect(buy(one, 500)).toMatchObject({ verdict: 'deny', code: 'INSUFFICIENT_BUYING_POWER' })
  expect(buy(desk(), 500)).toMatchObject({ verdict: 'pass' })
})

test('what is cancelled gives its buying power back', () => {
  const one = desk()
  buy(one, 600)
  cancelSide(one, 'buy')
  expect(buy(one, 500)).toMatchObject({ verdict: 'pass' })
  expect(one.tally.finish().statuses).toEqual(new Map([['canceled', 1]]))
})

test('the same order twice within half a second is denied, and later it is not', () => {
  const one = desk()
  buy(one, 100)
  expect(buy(one, 100, market.clockMs + 499)).toMatchObject({ code: 'DUPLICATE_ORDER' })
  expect(buy(one, 100, market.clockMs + 1_200)).toMatchObject({ verdict: 'pass' })
})

test('what a bar cannot fill stays for the next one, and its rest expires with the day', () => {
  const one = desk()
  buy(one, 900)
  // 2.5 % of 20,000 shares.
  matchOpen(one, { ...venue, bar: { ...bar, volume: 20_000 } })
  expect(one.position.quantity).toBe(500n * unit)
  expect(one.open.map(({ state }) => state.status)).toEqual(['partially_filled'])
  expireOrders(one)
  expect(one.tally.finish().statuses).toEqual(new Map([['expired', 1]]))
  expect(one.open).toEqual([])
})

test('two orders share what the participation limit lets a bar fill', () => {
  const one = desk()
  buy(one, 300)
  buy(one, 400, market.clockMs + 1)
  const next = { ...venue, startMs: venue.startMs + 60_000 }
  matchOpen(one, { ...next, bar: { ...bar, time: bar.time + 60_000, volume: 20_000 } })
  expect(one.position.quantity).toBe(500n * unit)
})

test('nothing is filled in a halt', () => {
  const one = desk()
  buy(one, 900)
  matchOpen(one, { ...venue, isHalted: true })
  expect(one.position.quantity).toBe(0n)
})

test('a sale of more than is held is denied: no account of a replay is short', () => {
  const asked = { side: 'sell', quantity: unit, timeInForce: 'day', strategy: 's' } as const
  expect(enterOrder(desk(), asked, market)).toMatchObject({
    verdict: 'deny',
    code: 'SHORT_NOT_ALLOWED',
  })
})
