import { type Session, sessionOf } from '#core/market/session.ts'
import type { TestBar } from './replay-world.ts'

export type Window = {
  readonly level: 1 | 2 | 3
  readonly fromMs: number
  readonly untilMs: number
}

const quarterMs = 15 * 60_000
const cutoffMs = 35 * 60_000

/**
 * Rule 7.12 read once more, without the product's code: which stretches of these bars nobody could
 * trade in. Each bar tells its open, its low half way and its close; the index begins at 100.00.
 */
export function haltWindows(bars: readonly TestBar[]): readonly Window[] {
  let priorCents = 10_000
  const days = Map.groupBy(bars, ({ time }) => sessionOf(time)?.day ?? '')
  return [...days.values()].flatMap((day) => {
    const windows = windowsOfDay(day, priorCents)
    priorCents = centsOf(day.at(-1)?.close ?? Number.NaN)
    return windows
  })
}

function windowsOfDay(bars: readonly TestBar[], priorCents: number): readonly Window[] {
  const session = sessionOf(bars[0]?.time ?? 0)
  if (session === undefined) return []
  const windows: Window[] = []
  for (const { timeMs, cents } of bars.flatMap(ticksOf)) {
    const last = windows.at(-1)
    if (last !== undefined && timeMs < last.untilMs) continue
    const level = levelOf(cents, priorCents)
    const untilMs = endOf(level, { timeMs, session })
    if (level !== 0 && level > (last?.level ?? 0) && untilMs > timeMs) {
      windows.push({ level, fromMs: timeMs, untilMs })
    }
  }
  return windows
}

/** The moment itself where the level halts nothing. */
function endOf(level: number, at: { readonly timeMs: number; readonly session: Session }): number {
  const { timeMs, session } = at
  if (level === 3) return session.closeMs + 1
  const isCounted = timeMs > session.openMs && timeMs <= session.closeMs - cutoffMs
  return isCounted ? timeMs + quarterMs : timeMs
}

function ticksOf({ time, open, low, close }: TestBar) {
  return [
    { timeMs: time - 60_000, cents: centsOf(open) },
    { timeMs: time - 30_000, cents: centsOf(low) },
    { timeMs: time, cents: centsOf(close) },
  ]
}

function centsOf(nanos: number): number {
  return Math.round(nanos / 10_000_000)
}

function levelOf(cents: number, prior: number): 0 | 1 | 2 | 3 {
  if (cents * 100 <= prior * 80) return 3
  if (cents * 100 <= prior * 87) return 2
  return cents * 100 <= prior * 93 ? 1 : 0
}
