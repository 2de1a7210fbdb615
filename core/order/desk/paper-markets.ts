import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import type { Bar } from '../../market/bar.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { isOpen, nextSession, sessionOf } from '../../market/session.ts'
import type { PaperMarket } from '../venue/paper-market.ts'
import { type PaperTerms, paperTermsOf } from '../venue/paper-settings.ts'
import type { PaperMarkets } from '../venue/paper-submit.ts'
import type { VenueClock } from '../venue.ts'
import type { MarketClock } from './desk-view.ts'
import { isHaltedAt } from './follow-market.ts'
import type { ReadMarket } from './market-snapshot.ts'

/** How late a change of an account's settings is noticed. */
const rememberMs = 2_000

type Treated = { readonly clock: MarketClock; readonly terms: PaperTerms; readonly untilMs: number }

/** The paper venue's own look at the market, by the clock of the account that trades. */
export function paperMarkets(options: {
  readonly sql: Sql
  readonly readMarket: ReadMarket
}): PaperMarkets {
  const { sql, readMarket } = options
  const known = new Map<string, Treated>()

  async function treatedOf(account: string): Promise<Treated> {
    const entry = known.get(account)
    const nowMs = performance.now()
    if (entry !== undefined && entry.untilMs > nowMs) return entry
    const [row] = await sql<{ clock: MarketClock; paper: unknown }[]>`
      select clock, paper from postern_account where id = ${account}`
    if (row === undefined) throw new PosternError('account.not_found')
    const { clock, paper } = row
    const treated = { clock, terms: paperTermsOf(paper), untilMs: nowMs + rememberMs }
    known.set(account, treated)
    return treated
  }

  return {
    terms: async (account) => (await treatedOf(account)).terms,
    async market(account, symbols) {
      const { clock } = await treatedOf(account)
      const [snapshot, markets] = await Promise.all([readMarket(sql, symbols), readMarkets(sql)])
      const clockMs = snapshot.clockMs(clock)
      if (clockMs === undefined) return new Map()
      const isHalted = isHaltedAt(markets[clock].breaker, clockMs)
      return new Map(
        symbols.flatMap((symbol): (readonly [string, PaperMarket])[] => {
          const instrument = snapshot.instrument(symbol, clock)
          const known = snapshot.symbolMarket(symbol, clock)
          if (instrument === undefined || known === undefined) return []
          const { haltedUntilMs } = instrument
          const hasQuote = (known.quote?.askSize ?? 0) > 0 || (known.quote?.bidSize ?? 0) > 0
          return [
            [
              symbol,
              {
                clockMs,
                quote: hasQuote ? known.quote : undefined,
                bar: lastBar(known.reference, known.meanBarVolume),
                isHalted: isHalted || (haltedUntilMs !== undefined && clockMs < haltedUntilMs),
                barVolumeUsed: 0n,
              },
            ],
          ]
        }),
      )
    },
    async clock(account): Promise<VenueClock> {
      const { clock } = await treatedOf(account)
      const snapshot = await readMarket(sql, [])
      const nowMs = snapshot.clockMs(clock) ?? 0
      const session = sessionOf(nowMs)
      const next = nextSession(nowMs)
      return {
        nowMs,
        isOpen: isOpen(nowMs),
        nextOpenMs: next?.openMs ?? nowMs,
        nextCloseMs:
          session !== undefined && nowMs <= session.closeMs
            ? session.closeMs
            : (next?.closeMs ?? nowMs),
      }
    },
  }
}

/** The last price as a bar of its own: all that is known of a market without quotes. */
function lastBar(
  reference: { readonly price: bigint; readonly atMs: number } | undefined,
  volume: number | undefined,
): Bar | undefined {
  if (reference === undefined) return undefined
  const price = Number(reference.price)
  const time = reference.atMs
  return { time, open: price, high: price, low: price, close: price, volume: volume ?? 0 }
}
