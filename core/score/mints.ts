/** Native SOL as most vendors write it, and the mint of wrapped SOL: one asset. */
const nativeSol = 'So11111111111111111111111111111111111111111'
export const wrappedSol = 'So11111111111111111111111111111111111111112'

/** USDC, USDT, PYUSD, USDS, USDG: pegged to the dollar, redeemable, on Solana mainnet. */
const stablecoins: ReadonlySet<string> = new Set([
  'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
  'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB',
  '2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo',
  'USDSwr9ApdHk5bvJKMjzff41FfuX8bSxdKcR81vTwcA',
  '2u1tszSeqZ3qBWF3uNGPFc8TzMk2tdiwknnRMWGWjGWH',
])

export function isStablecoin(mint: string): boolean {
  return stablecoins.has(mint)
}

/** One name per asset, so that wrapping SOL neither opens nor closes a position. */
export function assetOf(mint: string): string {
  return mint === nativeSol ? wrappedSol : mint
}
