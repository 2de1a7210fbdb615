import type { TradeRow } from '#core/score/trade.ts'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
export const usdc = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'
export const sol = 'So11111111111111111111111111111111111111112'
/** Well-known tokens of Solana mainnet: JUP, BONK, WIF, JTO, PYTH, RAY. */
export const tokens = [
  'JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN',
  'DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263',
  'EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm',
  'jtojtomepa8beP8AuQc6eXt5FriJwfFMwQx2v2f9mCL',
  'HZ1JovNiVvGrGNiiYvEozEVgZ58xaU3RKwX8eACQBCt3',
  '4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R',
] as const

const dayMs = 86_400_000

/** A 32-bit generator with recorded state (mulberry), so that two runs are equal byte for byte. */
export function randomNumbers(state: number): () => number {
  let value = state
  return () => {
    value = (value + 0x6d2b79f5) | 0
    let mixed = Math.imul(value ^ (value >>> 15), value | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Base58 of so many random bytes, the first one above zero. */
export function base58(random: () => number, bytes: number): string {
  let value = 0n
  for (let index = 0; index < bytes; index += 1) {
    const byte = Math.floor(random() * 256)
    value = value * 256n + BigInt(index === 0 ? Math.max(byte, 1) : byte)
  }
  let text = ''
  for (; value > 0n; value /= 58n) text = (alphabet[Number(value % 58n)] ?? '') + text
  return text
}

export type SyntheticOptions = {
  readonly wallets: number
  readonly swapsPerWallet: number
  /** The generator's first state. */
  readonly state: number
  readonly endMs?: number
  readonly days?: number
}

/** Wallets of different skill that buy with USDC and sell into it, in order of time. */
export function* syntheticWallets(
  options: SyntheticOptions,
): Generator<{ readonly wallet: string; readonly rows: readonly TradeRow[] }> {
  const random = randomNumbers(options.state)
  for (let index = 0; index < options.wallets; index += 1) {
    const wallet = base58(random, 32)
    yield { wallet, rows: walletRows(wallet, options, random) }
  }
}

function walletRows(wallet: string, options: SyntheticOptions, random: () => number): TradeRow[] {
  const { swapsPerWallet, days = 120, endMs = Date.UTC(2025, 8, 30, 18) } = options
  const startMs = endMs - days * dayMs
  const market = createMarket(random)
  const rows: TradeRow[] = []
  for (let index = 0; index < swapsPerWallet; index += 1) {
    const share = swapsPerWallet === 1 ? 1 : index / (swapsPerWallet - 1)
    const at = startMs + Math.floor((share * days * dayMs) / 1_000) * 1_000
    const head = { wallet, signature: base58(random, 64), time: timeText(at) }
    rows.push({ ...head, ...market.nextSwap() })
  }
  return rows
}

/** Random walks of a few tokens with the drift of one wallet's skill, and what the wallet holds. */
function createMarket(random: () => number) {
  const skill = (random() - 0.45) * 0.02
  const state = tokens.map((token) => ({ token, unit: 0.05 + random() * 5, held: 0 }))
  return {
    nextSwap() {
      const [fallback] = state
      const picked = state[Math.floor(random() * state.length)] ?? fallback
      if (picked === undefined) throw new Error('there are tokens')
      picked.unit *= 1 + skill + (random() - 0.5) * 0.12
      const isSale = picked.held > 0 && random() < 0.5
      const bought = (50 + random() * 450) / picked.unit
      const amount = isSale ? picked.held * (random() < 0.6 ? 1 : 0.5) : bought
      picked.held = isSale ? Math.max(picked.held - amount, 0) : picked.held + amount
      return swapOf(picked.token, isSale, { amount, unit: picked.unit }, random)
    },
  }
}

function swapOf(
  token: string,
  isSale: boolean,
  { amount, unit }: { readonly amount: number; readonly unit: number },
  random: () => number,
) {
  const paid = amount * unit
  const received = paid * (1 - random() * 0.003)
  const quantity = amount.toFixed(6)
  const feeUsd = (0.0008 + random() * 0.02).toFixed(4)
  const usdIn = paid.toFixed(4)
  const usdOut = received.toFixed(4)
  return isSale
    ? { mintIn: token, mintOut: usdc, amountIn: quantity, amountOut: usdOut, usdIn, usdOut, feeUsd }
    : { mintIn: usdc, mintOut: token, amountIn: usdIn, amountOut: quantity, usdIn, usdOut, feeUsd }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
