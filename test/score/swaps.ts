import type { Swap, Trade } from '#core/score/trade.ts'
import { tradeOf } from '#core/score/trade.ts'
import { base58, randomNumbers, sol, tokens, usdc } from './synthetic-wallets.ts'

export const [jup, bonk] = tokens
export { sol, usdc }
export const wallet = '7BDt5D7tow8SxymgbFXdgj5Ww4rEDN31WTifBVKByRR7'

const random = randomNumbers(7)

/** A valid swap, 1 JUP bought for 1 USDC, with the given members changed. */
export function swap(change: Partial<Record<keyof Swap, unknown>> = {}): Swap {
  const plain: Swap = {
    signature: base58(random, 64),
    time: '2025-01-01T00:00:00Z',
    mintIn: usdc,
    mintOut: jup,
    amountIn: '1',
    amountOut: '1',
    usdIn: '1',
    usdOut: '1',
    feeUsd: '0',
  }
  return Object.assign(plain, change)
}

export function trade(change: Partial<Record<keyof Swap, unknown>> = {}): Trade {
  return tradeOf(wallet, swap(change))
}

type Deal = {
  readonly at: string
  readonly token?: string
  readonly amount: string
  readonly usd: string
  readonly fee?: string
}

export function buy({ at, token = jup, amount, usd, fee = '0' }: Deal): Trade {
  return trade({
    ...{ time: at, mintIn: usdc, mintOut: token, amountIn: usd, amountOut: amount },
    ...{ usdIn: usd, usdOut: usd, feeUsd: fee },
  })
}

export function sell({ at, token = jup, amount, usd, fee = '0' }: Deal): Trade {
  return trade({
    ...{ time: at, mintIn: token, mintOut: usdc, amountIn: amount, amountOut: usd },
    ...{ usdIn: usd, usdOut: usd, feeUsd: fee },
  })
}
