import { sessionOf } from '#core/market/session.ts'
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
  const windows: Window[] = []
  let day = ''
  let priorCents = 10_000
  let lastCents = 10_000
  let used = 0
  let untilMs = 0
  for (const bar of bars) {
    const session = sessionOf(bar.time)
    if (session === undefined) continue
    if (session.day !== day) {
      if (day !== '') priorCents = lastCents
      day = session.day
      used = 0
      untilMs = 0
    }
    for (const [timeMs, price] of [
      [bar.time - 60_000, bar.open] as const,
      [bar.time - 30_000, bar.low] as const,
      [bar.time, bar.close] as const,
    ]) {
      lastCents = Math.round(price / 10_000_000)
      if (timeMs < untilMs) continue
      const level = levelOf(lastCents, priorCents)
      const isCounted = timeMs > session.openMs && timeMs <= session.closeMs - cutoffMs
      if (level === 3) untilMs = session.closeMs + 1
      else if (level > used && isCounted) untilMs = timeMs + quarterMs
      else continue
      used = Math.max(used, level)
      windows.push({ level: level === 3 ? 3 : level === 2 ? 2 : 1, fromMs: timeMs, untilMs })
    }
  }
  return windows
}

function levelOf(cents: number, prior: number): 0 | 1 | 2 | 3 {
  if (cents * 100 <= prior * 80) return 3
  if (cents * 100 <= prior * 87) return 2
  return cents * 100 <= prior * 93 ? 1 : 0
}
