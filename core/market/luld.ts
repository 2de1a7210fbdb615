import { z } from 'zod'
import { type Nanos, nanosPerCent, nanosPerUnit } from './bar.ts'
import { isOpen, type Session, sessionOf } from './session.ts'

const minuteMs = 60_000

/** Limit up, limit down of single stocks (Regulation NMS plan), within regular hours. */
export const luldRules = {
  referenceWindowMs: 5 * minuteMs,
  /** A reference stays at least so long. */
  referenceLifeMs: 30_000,
  /** Percent by which a new reference has to differ. */
  referenceStepPercent: 1,
  limitStateMs: 15_000,
  pauseMs: 5 * minuteMs,
  /** Since Amendment 18 bands double in the last 25 minutes only. */
  doubledBeforeCloseMs: 25 * minuteMs,
  /** Averaged at most, the newest: each trade costs a pass over all of them. */
  tradesMax: 1000,
} as const

const price = z.number().int().positive()

/** JSON; null where there is nothing. */
export const luldStateSchema = z.strictObject({
  /** 1: S&P 500, Russell 1000 and selected funds; 2: all other stocks. */
  tier: z.union([z.literal(1), z.literal(2)]),
  priorClose: price,
  day: z.string(),
  reference: price.nullable(),
  referenceTime: z.number(),
  lastTrade: price.nullable(),
  /** Of the last five minutes, oldest first. */
  trades: z.array(z.strictObject({ timeMs: z.number(), price })).readonly(),
  /** Since when the best bid or offer has stood at a band. */
  limitSince: z.number().nullable(),
  pausedUntil: z.number().nullable(),
})
export type LuldState = Readonly<z.infer<typeof luldStateSchema>>

/** A trade, a quote or both; a bar is a trade at its close, which is also its bid and ask where it has none. */
export type LuldEvent = {
  readonly timeMs: number
  readonly trade?: Nanos
  readonly bid?: Nanos
  readonly ask?: Nanos
}

export type LuldBand = { readonly lower: Nanos; readonly upper: Nanos }

/** A stock before its first trade of a day; `priorClose` decides its percentages. */
export function startLuld(
  tier: LuldState['tier'],
  { day, priorClose }: { readonly day: string; readonly priorClose: Nanos },
): LuldState {
  return {
    tier,
    priorClose,
    day,
    reference: null,
    referenceTime: 0,
    lastTrade: null,
    trades: [],
    limitSince: null,
    pausedUntil: null,
  }
}

const threeUnits = 3 * nanosPerUnit
const threeQuarters = 0.75 * nanosPerUnit

/** Distance of each band from the reference, unrounded. */
function halfWidth(state: LuldState, reference: Nanos, isLastMinutes: boolean): number {
  const { tier, priorClose } = state
  const isDoubled = isLastMinutes && (tier === 1 || priorClose <= threeUnits)
  const factor = isDoubled ? 2 : 1
  if (priorClose > threeUnits) return factor * reference * (tier === 1 ? 0.05 : 0.1)
  if (priorClose >= threeQuarters) return factor * reference * 0.2
  return factor * Math.min(0.15 * nanosPerUnit, reference * 0.75)
}

/** The nearest price increment: a cent, or a hundredth of one below 1.00. */
function toIncrement(nanos: number): Nanos {
  const increment = nanos < nanosPerUnit ? nanosPerCent / 100 : nanosPerCent
  return Math.max(0, Math.round(nanos / increment) * increment)
}

/** Undefined outside regular hours and while there is no reference: before the first trade of a day or after a pause. */
export function luldBand(state: LuldState, timeMs: number): LuldBand | undefined {
  const session = sessionOf(timeMs)
  if (session === undefined || session.day !== state.day || !isOpen(timeMs)) return undefined
  if (state.reference === null) return undefined
  const isLastMinutes = timeMs >= session.closeMs - luldRules.doubledBeforeCloseMs
  const width = halfWidth(state, state.reference, isLastMinutes)
  return {
    lower: toIncrement(state.reference - width),
    upper: toIncrement(state.reference + width),
  }
}

/**
 * The end of the pause that a stock is in or was in last, null for none. A limit state that was not
 * cleared in time has paused it whether or not an event said so since.
 */
function pauseEnd({ limitSince, pausedUntil }: LuldState, timeMs: number): number | null {
  if (pausedUntil !== null || limitSince === null) return pausedUntil
  const pausedFrom = limitSince + luldRules.limitStateMs
  return timeMs >= pausedFrom ? pausedFrom + luldRules.pauseMs : null
}

/** Until when a stock is paused at a time; undefined: it is not. */
export function pausedUntil(state: LuldState, timeMs: number): number | undefined {
  const until = pauseEnd(state, timeMs)
  return until !== null && timeMs < until ? until : undefined
}

export function isPaused(state: LuldState, timeMs: number): boolean {
  return pausedUntil(state, timeMs) !== undefined
}

/** Sums differences to the oldest price: sums of prices could leave the safe integers. */
function meanPrice(trades: LuldState['trades']): Nanos {
  const base = trades[0]?.price ?? 0
  const differences = trades.reduce((sum, trade) => sum + (trade.price - base), 0)
  return base + Math.round(differences / trades.length)
}

/**
 * The opening price is the first reference. A later one, the mean of five minutes, takes its place
 * if it differs by 1 % and the present one has stood for 30 s; both are asked at each trade, so
 * their order does not matter.
 */
function withTrade(state: LuldState, timeMs: number, traded: Nanos): LuldState {
  const from = timeMs - luldRules.referenceWindowMs
  const kept = state.trades.filter((trade) => trade.timeMs > from)
  const trades = [...kept.slice(1 - luldRules.tradesMax), { timeMs, price: traded }]
  const next = { ...state, trades, lastTrade: traded }
  if (state.reference === null) return { ...next, reference: traded, referenceTime: timeMs }
  const mean = meanPrice(trades)
  const isFar =
    Math.abs(mean - state.reference) * 100 >= state.reference * luldRules.referenceStepPercent
  const isDue = timeMs - state.referenceTime >= luldRules.referenceLifeMs
  return isFar && isDue ? { ...next, reference: mean, referenceTime: timeMs } : next
}

/** Limit state: the bid at the upper band or the offer at the lower; leaving it clears the clock. */
function withQuote(state: LuldState, { timeMs, bid, ask }: LuldEvent): LuldState {
  if (bid === undefined && ask === undefined) return state
  const band = luldBand(state, timeMs)
  if (band === undefined) return state
  const isAtBand =
    (bid !== undefined && bid >= band.upper) || (ask !== undefined && ask <= band.lower)
  if (isAtBand) return state.limitSince === null ? { ...state, limitSince: timeMs } : state
  return state.limitSince === null ? state : { ...state, limitSince: null }
}

/** A new day: the last trade seen is the close that decides the percentages. */
function onDay(state: LuldState, session: Session): LuldState {
  if (session.day === state.day) return state
  const priorClose = state.lastTrade ?? state.priorClose
  return startLuld(state.tier, { day: session.day, priorClose })
}

/**
 * Takes one event, in the order of their times. Nothing counts outside regular hours or in a pause;
 * after a pause the first trade, the reopening, is the reference anew.
 */
export function advanceLuld(state: LuldState, event: LuldEvent): LuldState {
  const { timeMs, trade } = event
  const session = sessionOf(timeMs)
  if (session === undefined || session.day < state.day || !isOpen(timeMs)) return state
  let next = onDay(state, session)
  const until = pauseEnd(next, timeMs)
  if (until !== null && timeMs < until) return { ...next, limitSince: null, pausedUntil: until }
  if (until !== null) next = { ...startLuld(next.tier, next), lastTrade: next.lastTrade }
  if (trade !== undefined && trade > 0) next = withTrade(next, timeMs, trade)
  return withQuote(next, event)
}
