/** What k6 counts the answers under. */
export const enqueueName = '/jobs/score-wallet [POST]'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const usdc = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'
const jup = 'JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN'
/** Enough to be scored at all: fifty trades over ninety days. */
const swapsEach = 60
const firstMs = Date.UTC(2025, 0, 1)
const dayMs = 86_400_000

/**
 * Text of base58 that decodes to a whole number of bytes, without the arithmetic: 43 characters from the
 * fifth of the alphabet on are 32 bytes, 87 from the third on are 64.
 */
function base58(random: () => number, characters: 43 | 87): string {
  const first = characters === 43 ? 4 : 2
  let text = ''
  for (let at = 0; at < characters; at += 1) {
    const from = at === 0 ? first : 0
    text += alphabet[from + Math.floor(random() * (alphabet.length - from))] ?? ''
  }
  return text
}

/** A wallet of its own that buys and sells in turns, two days apart, with luck. */
export function scoreRequest(random: () => number) {
  const swaps = Array.from({ length: swapsEach }, (_, at) => {
    const isBuy = at % 2 === 0
    const usd = (isBuy ? 100 : 90 + random() * 25).toFixed(2)
    const [mintIn, mintOut] = isBuy ? [usdc, jup] : [jup, usdc]
    const [amountIn, amountOut] = isBuy ? [usd, '50'] : ['50', usd]
    const time = new Date(firstMs + at * 2 * dayMs).toISOString()
    const signature = base58(random, 87)
    return {
      signature,
      time,
      mintIn,
      mintOut,
      amountIn,
      amountOut,
      usdIn: usd,
      usdOut: usd,
      feeUsd: '0',
    }
  })
  return { wallet: base58(random, 43), swaps, endDate: '2025-06-01' }
}
