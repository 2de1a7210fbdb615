import type { CheckInput } from '#core/order/check-input.ts'
import { amount, money, noonMs, sample } from './check-sample.ts'

/** Mulberry32: numbers in [0, 1), the same ones for a seed. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pick = <T>(random: () => number, values: readonly [T, ...T[]]): T =>
  values[Math.floor(random() * values.length)] ?? values[0]
const shares = (random: () => number, max: number) => amount(String(Math.floor(random() * max)))

export function randomInput(random: () => number): CheckInput {
  const type = pick(random, ['market', 'limit', 'stop', 'stop_limit'] as const)
  const cents = (from: number, to: number) =>
    amount(((from + Math.floor(random() * (to - from))) / 100).toFixed(2))
  return sample({
    terms: {
      type,
      side: pick(random, ['buy', 'sell'] as const),
      quantity: shares(random, 300),
      timeInForce: pick(random, ['day', 'gtc', 'ioc'] as const),
      limitPrice: type === 'limit' || type === 'stop_limit' ? cents(9_400, 10_600) : undefined,
      stopPrice: type === 'stop' || type === 'stop_limit' ? cents(9_400, 10_600) : undefined,
      reduceOnly: random() < 0.1,
    },
    clockMs: noonMs + Math.floor(random() * 6_000),
    market: pick(random, [
      { kind: 'open' },
      { kind: 'halted', level: 1, untilMs: noonMs },
    ] as const),
    instrument: { lot: pick(random, [amount('1'), amount('10')]) },
    symbolMarket: {
      volatilityPercent: pick(random, [10, 25, 40, 90, 5_000, Number.NaN, undefined]),
      meanBarVolume: pick(random, [1_000, 10_000, 1e9, 1e300, Number.NaN]),
    },
    position: {
      quantity: pick(random, [1n, -1n]) * shares(random, 300),
      openBuy: shares(random, 100),
      openSell: shares(random, 100),
    },
    account: { cash: money(String(Math.floor(random() * 40_000))) },
  })
}
