import type { Nanos, Quote } from './bar.ts'
import {
  advanceLuld,
  type LuldEvent,
  type LuldState,
  luldBand,
  luldStateSchema,
  startLuld,
} from './luld.ts'
import type { StoredLuld } from './postgres-market-store.ts'
import type { SizedBar } from './read-bars.ts'
import { exchangeDay } from './session.ts'

export type BandInput = {
  /** What `knownBands` found; undefined for bands that begin. */
  readonly known: LuldState | undefined
  readonly tier: LuldState['tier']
  /** Of the day before, for bands that begin; without one the first price counts. */
  readonly priorClose: Nanos | undefined
  readonly bars: readonly SizedBar[]
  readonly quote: Quote | undefined
}

/** Limit-up-limit-down of one symbol, brought up to events of the live market; undefined without any. */
export function advanceBands(input: BandInput): StoredLuld | undefined {
  const events = eventsOf(input)
  const [first] = events
  const last = events.at(-1)
  if (first === undefined || last === undefined) return undefined
  const state = events.reduce(advanceLuld, stateBefore(input, first))
  const band = luldBand(state, last.timeMs)
  return {
    state,
    atMs: last.timeMs,
    lower: band?.lower ?? null,
    upper: band?.upper ?? null,
    pausedUntilMs: state.pausedUntil,
  }
}

/** What was reckoned before, by the same tier. */
export function knownBands(
  before: StoredLuld | undefined,
  tier: LuldState['tier'],
): LuldState | undefined {
  const stored = luldStateSchema.safeParse(before?.state)
  return stored.success && stored.data.tier === tier ? stored.data : undefined
}

function stateBefore({ known, tier, priorClose }: BandInput, first: LuldEvent): LuldState {
  if (known !== undefined) return known
  const day = exchangeDay(first.timeMs)
  return startLuld(tier, { day, priorClose: priorClose ?? first.trade ?? first.bid ?? 1 })
}

/** In order of time, a bar before a quote of its end. */
function eventsOf({ bars, quote }: BandInput): readonly LuldEvent[] {
  const trades = bars.map(({ time: timeMs, close }) => {
    return { timeMs, trade: close, bid: close, ask: close }
  })
  if (quote === undefined) return trades
  const { time: timeMs, bid, ask } = quote
  return [...trades, { timeMs, bid, ask }].toSorted((a, b) => a.timeMs - b.timeMs)
}
