import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import type { Bar } from '../../market/bar.ts'
import { groupReads } from '../../postgres/group-reads.ts'
import { type PaperMarket, venueClockAt } from '../venue/paper-market.ts'
import { type PaperTerms, paperTermsOf } from '../venue/paper-settings.ts'
import type { PaperMarkets } from '../venue/paper-submit.ts'
import type { MarketClock } from './desk-view.ts'
import { isHaltedAt } from './follow-market.ts'
import type { MarketSnapshot, ReadMarket } from './market-snapshot.ts'

/** How late a change of an account's settings is noticed. */
const rememberMs = 2_000
/** Of one statement. */
const keysMax = 256

type Treated = { readonly clock: MarketClock; readonly terms: PaperTerms; readonly untilMs: number }

/** The paper venue's own look at the market, by the clock of the account that trades. */
export function paperMarkets(options: {
  readonly sql: Sql
  readonly readMarket: ReadMarket
}): PaperMarkets {
  const { sql, readMarket } = options
  const known = new Map<string, Treated>()
  const readAccount = groupReads<string, AccountText | undefined>({
    read: (ids) => readAccounts(sql, ids),
    textOf: (id) => id,
    keysMax,
  })

  async function treatedOf(account: string): Promise<Treated> {
    const entry = known.get(account)
    const nowMs = performance.now()
    if (entry !== undefined && entry.untilMs > nowMs) return entry
    const row = await readAccount(account)
    if (row === undefined) throw new PosternError('account.not_found')
    const { clock, paper } = row
    const treated = { clock, terms: paperTermsOf(paper), untilMs: nowMs + rememberMs }
    known.set(account, treated)
    return treated
  }

  return {
    terms: async (account) => (await treatedOf(account)).terms,
    async markets(wanted) {
      const symbols = new Set([...wanted.values()].flat())
      const [snapshot, clocks] = await Promise.all([
        readMarket(sql, [...symbols]),
        Promise.all([...wanted.keys()].map(async (account) => (await treatedOf(account)).clock)),
      ])
      return new Map(
        [...wanted].map(([account, names], at) => [
          account,
          seenMarkets(snapshot, names, clocks[at] ?? 'live'),
        ]),
      )
    },
    async clock(account) {
      const { clock } = await treatedOf(account)
      return venueClockAt((await readMarket(sql, [])).clockMs(clock) ?? 0)
    },
  }
}

type AccountText = { readonly id: string; readonly clock: MarketClock; readonly paper: unknown }

async function readAccounts(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly (AccountText | undefined)[]> {
  const rows = await sql<AccountText[]>`
    select id, clock, paper from postern_account where id = any(${[...ids]})`
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id))
}

function seenMarkets(
  snapshot: MarketSnapshot,
  symbols: readonly string[],
  clock: MarketClock,
): ReadonlyMap<string, PaperMarket> {
  const clockMs = snapshot.clockMs(clock)
  if (clockMs === undefined) return new Map()
  const isHalted = isHaltedAt(snapshot.breaker(clock), clockMs)
  return new Map(
    symbols.flatMap((symbol): (readonly [string, PaperMarket])[] => {
      const instrument = snapshot.instrument(symbol, clock)
      const known = snapshot.symbolMarket(symbol, clock)
      if (instrument === undefined || known === undefined) return []
      const { haltedUntilMs } = instrument
      const hasQuote = (known.quote?.askSize ?? 0) > 0 || (known.quote?.bidSize ?? 0) > 0
      const market = {
        clockMs,
        quote: hasQuote ? known.quote : undefined,
        bar: lastBar(known.reference, known.meanBarVolume),
        isHalted: isHalted || (haltedUntilMs !== undefined && clockMs < haltedUntilMs),
        barVolumeUsed: 0n,
      }
      return [[symbol, market]]
    }),
  )
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
