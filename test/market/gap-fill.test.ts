import { expect, test } from 'bun:test'
import type { Bar } from '#core/market/bar.ts'
import { fillInBar, type RestingOrder } from '#core/market/gap-fill.ts'

/** Opened at 100 after whatever was before, traded from 95 to 105. */
const bar: Bar = { time: 0, open: 100, high: 105, low: 95, close: 102, volume: 1000 }

test.each<[RestingOrder]>([
  [{ type: 'market', side: 'buy' }],
  [{ type: 'limit', side: 'buy', limit: 200 }],
  [{ type: 'stop', side: 'sell', stop: 200 }],
  [{ type: 'stop_limit', side: 'sell', stop: 200, limit: 1 }],
])('without volume nothing fills and nothing is triggered: %j', (order) => {
  for (const volume of [0, -1, Number.NaN]) {
    expect(fillInBar(order, { ...bar, volume })).toEqual({ isTriggered: false, price: undefined })
  }
})

test.each<[string, RestingOrder, boolean, number | undefined]>([
  ['a market order fills at the open', { type: 'market', side: 'sell' }, false, 100],
  ['a buy below the low', { type: 'limit', side: 'buy', limit: 94 }, false, undefined],
  ['a buy at the low', { type: 'limit', side: 'buy', limit: 95 }, false, 95],
  ['a buy above the open', { type: 'limit', side: 'buy', limit: 103 }, false, 100],
  ['a sale above the high', { type: 'limit', side: 'sell', limit: 106 }, false, undefined],
  ['a sale at the high', { type: 'limit', side: 'sell', limit: 105 }, false, 105],
  ['a sale below the open', { type: 'limit', side: 'sell', limit: 97 }, false, 100],
  ['a stop not reached', { type: 'stop', side: 'sell', stop: 94 }, false, undefined],
  ['a stop touched', { type: 'stop', side: 'sell', stop: 95 }, true, 95],
  ['a stop gapped through: the open', { type: 'stop', side: 'sell', stop: 120 }, true, 100],
  ['a buy stop not reached', { type: 'stop', side: 'buy', stop: 106 }, false, undefined],
  ['a buy stop touched', { type: 'stop', side: 'buy', stop: 105 }, true, 105],
  ['a buy stop gapped through', { type: 'stop', side: 'buy', stop: 80 }, true, 100],
  [
    'a stop-limit whose limit allows the stop price',
    { type: 'stop_limit', side: 'sell', stop: 96, limit: 96 },
    true,
    96,
  ],
  [
    'a stop-limit gapped past its limit',
    { type: 'stop_limit', side: 'sell', stop: 120, limit: 101 },
    true,
    undefined,
  ],
  [
    'a buy stop-limit gapped past its limit',
    { type: 'stop_limit', side: 'buy', stop: 80, limit: 99 },
    true,
    undefined,
  ],
  [
    'a buy stop-limit gapped to its limit',
    { type: 'stop_limit', side: 'buy', stop: 80, limit: 100 },
    true,
    100,
  ],
  [
    'a stop-limit not reached',
    { type: 'stop_limit', side: 'buy', stop: 106, limit: 110 },
    false,
    undefined,
  ],
])('%s', (_, order, isTriggered, price) => {
  expect(fillInBar(order, bar)).toEqual({ isTriggered, price })
})

test('a limit order never fills at a worse price than its limit, nor at a worse one than the open', () => {
  for (let limit = 90; limit <= 110; limit += 1) {
    const buy = fillInBar({ type: 'limit', side: 'buy', limit }, bar).price ?? 0
    const sale = fillInBar({ type: 'limit', side: 'sell', limit }, bar).price ?? 1000
    expect(buy).toBeLessThanOrEqual(Math.min(limit, bar.open))
    expect(sale).toBeGreaterThanOrEqual(Math.max(limit, bar.open))
  }
})
