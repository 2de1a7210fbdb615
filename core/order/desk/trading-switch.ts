import type { TradingState } from '../check-input.ts'

export const switchScopes = ['global', 'account', 'strategy', 'symbol'] as const
export type SwitchScope = (typeof switchScopes)[number]

/** Which switch; `key` is empty for `global`. */
export type SwitchName = { readonly scope: SwitchScope; readonly key: string }

export type TradingSwitch = {
  readonly state: TradingState
  readonly reason: string
  /** When it becomes ACTIVE by itself; undefined: never. */
  readonly until: Date | undefined
  readonly setBy: string
  readonly setAt: Date
  /** The first of the two who must agree to leave HALTED. */
  readonly rearmBy: string | undefined
}

/** `by` is the person behind a principal (`personOf`). */
type Act = { readonly reason: string; readonly by: string; readonly at: Date }

export function stateAt({ state, until }: TradingSwitch, at: Date): TradingState {
  return until !== undefined && until <= at ? 'ACTIVE' : state
}

/**
 * Sets a switch, or makes it stricter. It never lets anything pass that was stopped: HALTED stays
 * HALTED, and the later end of the two counts. Undefined when there is nothing to change. A halt
 * between the two who re-arm undoes the word of the first.
 */
export function haltSwitch(
  current: TradingSwitch,
  act: Act & { readonly state: 'HALTED' | 'REDUCING'; readonly until: Date | undefined },
): TradingSwitch | undefined {
  const { state, reason, by, at } = act
  const before = stateAt(current, at)
  if (before === 'HALTED' && state === 'REDUCING') return undefined
  const until = before === 'ACTIVE' ? act.until : later(current.until, act.until)
  return { state, reason, until, setBy: by, setAt: at, rearmBy: undefined }
}

function later(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return undefined
  return a > b ? a : b
}

export type Rearmed =
  | { readonly kind: 'active'; readonly next: TradingSwitch }
  | { readonly kind: 'awaiting_second'; readonly next: TradingSwitch }
  | { readonly kind: 'already_active' }
  | { readonly kind: 'second_needed' }

/** One may leave REDUCING; HALTED takes two who differ, of whom one may be who halted. */
export function rearmSwitch(current: TradingSwitch, { reason, by, at }: Act): Rearmed {
  const state = stateAt(current, at)
  if (state === 'ACTIVE') return { kind: 'already_active' }
  if (state === 'HALTED' && current.rearmBy === undefined) {
    return { kind: 'awaiting_second', next: { ...current, rearmBy: by } }
  }
  if (state === 'HALTED' && current.rearmBy === by) return { kind: 'second_needed' }
  return {
    kind: 'active',
    next: { state: 'ACTIVE', reason, until: undefined, setBy: by, setAt: at, rearmBy: undefined },
  }
}
