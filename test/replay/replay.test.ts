import { describe, expect, test } from 'bun:test'
import { formatMoney, moneyOf } from '#core/order/amount.ts'
import { applyFill, cashEffect, flat } from '#core/order/position.ts'
import { blockBars, newBlock } from '#core/replay/bar-block.ts'
import { openReplay } from '#core/replay/replay.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { scenarioNames } from '#core/replay/scenario.ts'
import { cash, runRegime, type TestBar } from './replay-world.ts'

const minuteMs = 60_000
const openMs = Date.parse('2024-03-04T14:30:00Z')

/** A bar that ends so many minutes after the open. */
function bar(minute: number, change: Partial<TestBar> = {}): TestBar {
  const time = openMs + minute * minuteMs
  const close = change.close ?? 100e9
  return {
    ...{ time, open: close, high: close, low: close, close, volume: 400_000 },
    ...{ bid: close - 1e7, ask: close + 1e7, volatility: 15, arrival: time },
    ...change,
  }
}

function replay(bars: readonly TestBar[], strategy: 'buy_and_hold' | 'momentum' = 'buy_and_hold') {
  const source = { symbol: 'TEST', series: 'index', barMs: minuteMs, priorClose: 100e9 } as const
  const running = openReplay({ source, cash, strategy, rules: replayRules(cash), seed: 1 })
  for (let from = 0; from < bars.length; from += blockBars) {
    const block = newBlock()
    for (const [index, each] of bars.slice(from, from + blockBars).entries()) {
      for (const column of columns) block[column][index] = each[column]
      block.length = index + 1
    }
    running.apply(block)
  }
  return running.finish()
}

const columns = [
  ...(['time', 'open', 'high', 'low', 'close', 'volume'] as const),
  ...(['bid', 'ask', 'volatility', 'arrival'] as const),
]

const tradesOf = (run: ReturnType<typeof replay>) => run?.desk.tally.finish().trades ?? []
const codesOf = (run: ReturnType<typeof replay>) => [...(run?.desk.tally.finish().codes ?? [])]

describe('a replay refuses', () => {
  test('bars that go back in time', () => {
    expect(() => replay([bar(2), bar(1)])).toThrow('in the order of their times')
  })

  test('to say anything of bars outside of every session', () => {
    expect(replay([bar(-60), bar(-59)])).toBeUndefined()
    expect(replay([bar(24 * 60 * 5 + 1)])).toBeUndefined()
  })
})

test('bars before the open and after the close are counted, and nothing else', () => {
  const run = replay([bar(-1), bar(0), bar(1), bar(390), bar(391)])
  expect(run).toMatchObject({ bars: 2, skipped: 3 })
})

test('an order sees the bar it was decided on, and trades at the next bar’s open', () => {
  const run = replay([bar(1), bar(2, { open: 104e9, low: 104e9, high: 110e9, close: 110e9 })])
  expect(tradesOf(run)).toEqual([
    // Of 95,000 at the ask of 100.01; the part of the volume it takes moves the price by a tick.
    {
      timeMs: openMs + minuteMs,
      side: 'buy',
      quantity: 949n * 10n ** 9n,
      price: 104_010_000_000n,
    },
  ])
})

test('an order that was decided late misses the bar that had begun', () => {
  const late = { arrival: openMs + minuteMs + 2_000 }
  const run = replay([bar(1, late), bar(2, { close: 110e9 }), bar(3, { close: 120e9 })])
  expect(tradesOf(run).map(({ timeMs }) => timeMs)).toEqual([openMs + 2 * minuteMs])
})

test('nothing is asked for in the last bar of a session, where it could not trade any more', () => {
  expect(tradesOf(replay([bar(390)]))).toEqual([])
  expect(replay([bar(390)])?.desk.entered).toBe(0)
})

test('data older than the limit deny an order, and the strategy asks again later', () => {
  const stale = { arrival: openMs + minuteMs + 5_001 }
  const run = replay([bar(1, stale), ...[2, 3, 4, 5].map((minute) => bar(minute))])
  expect(codesOf(run)).toEqual([['STALE_MARKET_DATA', 1]])
  expect(tradesOf(run)).toHaveLength(1)
})

describe('an order that is asked for in a halt', () => {
  // Late data deny it in bars 1, 4 and 9; the next time it is asked for is bar 18.
  const before = Array.from({ length: 9 }, (_, index) => {
    const { arrival, ...rest } = bar(1 + index)
    return { ...rest, arrival: arrival + 5_001 }
  })
  const crash = bar(10, { open: 100e9, high: 100e9, low: 92e9, close: 92e9 })
  const calm = Array.from({ length: 30 }, (_, index) => bar(11 + index, { close: 95e9 }))

  test('waits, is checked again when the halt is over, and trades then', () => {
    const run = replay([...before, crash, ...calm])
    expect(run?.halts).toEqual([
      { kind: 'L1', fromMs: openMs + 9.5 * minuteMs, untilMs: openMs + 24.5 * minuteMs },
    ])
    // The halt ends within the 25th bar, whose close is the first price; the 26th is the first to trade.
    expect(tradesOf(run).map(({ timeMs }) => timeMs)).toEqual([openMs + 25 * minuteMs])
    expect(run?.desk.entered).toBe(4)
    expect(codesOf(run)).toEqual([['STALE_MARKET_DATA', 3]])
  })

  test('is made smaller by what volatility is when it goes out, not when it was asked for', () => {
    const wild = calm.map((each) => ({ ...each, volatility: 80 }))
    const [trade] = tradesOf(replay([...before, crash, ...wild]))
    const [quiet] = tradesOf(replay([...before, crash, ...calm]))
    expect(Number(trade?.quantity ?? 0n) / Number(quiet?.quantity ?? 1n)).toBeCloseTo(0.25, 2)
  })

  test('is denied where level 3 has ended the day', () => {
    const fall = bar(10, { open: 100e9, high: 100e9, low: 79e9, close: 79e9 })
    expect(codesOf(replay([...before, fall, ...calm])).map(([code]) => code)).toEqual([
      'STALE_MARKET_DATA',
      'MARKET_HALTED_L3',
    ])
  })
})

test('what is marked in a halt is the price that tripped it, not what the feed goes on to say', () => {
  const run = replay([bar(1), bar(2), bar(3, { low: 92e9, close: 92e9 }), bar(4, { close: 60e9 })])
  expect(run?.mark).toBe(92e9)
})

test('a day order that has not traded expires with its session', () => {
  const dry = Array.from({ length: 388 }, (_, index) => bar(3 + index, { volume: 0 }))
  const run = replay([bar(1), bar(2, { volume: 0 }), ...dry, bar(24 * 60 + 1), bar(24 * 60 + 2)])
  expect([...(run?.desk.tally.finish().statuses ?? [])]).toEqual([
    ['expired', 1],
    ['filled', 1],
  ])
})

test.each(scenarioNames)(
  '%s: cash, position and equity are the fold of the fills, exactly',
  async (scenario) => {
    for (const strategy of ['momentum', 'mean_reversion'] as const) {
      const { run, result } = await runRegime({ scenario, strategy, seed: 21 })
      let position = flat
      let held = cash
      for (const { side, quantity, price } of run.desk.tally.finish().trades) {
        const fill = { side, quantity, price, fee: 0n }
        position = applyFill(position, fill)
        held += cashEffect(fill)
      }
      expect(run.desk.cash).toBe(held)
      expect(run.desk.position).toEqual(position)
      const { account } = result
      expect(moneyOf(account.equity)).toBe(held + position.quantity * BigInt(run.mark))
      expect(moneyOf(account.equity) - cash).toBe(
        moneyOf(account.realised) + moneyOf(account.unrealised),
      )
      expect(account.cashStart).toBe(formatMoney(cash))
    }
  },
)

test('the size of its blocks does not change a replay', async () => {
  const { bars, run } = await runRegime({ scenario: 'breaker-3', strategy: 'momentum', seed: 3 })
  const running = openReplay(run.options)
  for (const each of bars) {
    const block = newBlock()
    for (const column of columns) block[column][0] = each[column]
    block.length = 1
    running.apply(block)
  }
  const again = running.finish()
  expect(again?.desk.tally.finish()).toEqual(run.desk.tally.finish())
  expect(again?.series.stretches()).toEqual(run.series.stretches())
})
