import { exactTimes, type Record as Samples, sortedEntries } from './measure/record.ts'
import { exactPercentile } from './measure/response-times.ts'
import { driftOf, from, type Point, slopeOf } from './measure/trend.ts'
import type { Verdict } from './verdicts.ts'

/** A line of samples: seconds since the start, and what was seen. */
export type Sampled = {
  readonly name: string
  readonly unit: 'MiB' | 'descriptors' | 'connections'
  /** Others grow with the data that they keep: they are shown, and not judged. */
  readonly isJudged: boolean
  readonly points: readonly Point[]
}

const growthMibMax = 1
const growthSeconds = 600
const driftMax = 2
const slowerMax = 1.2
/** Of an hour: the last forty minutes are judged, and ten minutes at either end are compared. */
const judgedPart = 40 / 60
const endPart = 10 / 60

export function soakWindows(seconds: number): { judgedFrom: number; endSeconds: number } {
  return { judgedFrom: seconds - seconds * judgedPart, endSeconds: seconds * endPart }
}

export function growthVerdicts(samples: readonly Sampled[], seconds: number): readonly Verdict[] {
  const { judgedFrom } = soakWindows(seconds)
  return samples
    .filter(({ isJudged }) => isJudged)
    .map(({ name, unit, points }) => growthVerdict(name, unit, from(points, judgedFrom)))
}

function growthVerdict(name: string, unit: Sampled['unit'], points: readonly Point[]): Verdict {
  if (points.length < 2) {
    return { name: `${name}, ${unit}`, seen: 'not sampled', required: 'samples', fate: 'void' }
  }
  if (unit === 'MiB') {
    const growth = slopeOf(points) * growthSeconds
    return {
      ...{ name: `${name}, RSS`, seen: `${growth.toFixed(2)} MiB in ten minutes` },
      required: `at most ${growthMibMax}`,
      fate: growth <= growthMibMax ? 'met' : 'missed',
    }
  }
  const drift = driftOf(points)
  const values = points.map(([, y]) => y)
  return {
    name: `${name}, ${unit}`,
    seen: `moved by ${drift.toFixed(1)} (${Math.min(...values)} to ${Math.max(...values)})`,
    required: `at most ${driftMax} either way`,
    fate: Math.abs(drift) <= driftMax ? 'met' : 'missed',
  }
}

/** By exact times: rounded ones move in steps of 10 ms, or of 100. */
export function endsVerdict(record: Samples, startMs: number, seconds: number): Verdict {
  const entries = sortedEntries(record)
  const { endSeconds } = soakWindows(seconds)
  const p99From = (second: number) => {
    const fromMs = startMs + second * 1_000
    const times = exactTimes(entries, { fromMs, toMs: fromMs + endSeconds * 1_000 })
    return exactPercentile(times, 0.99)
  }
  return steadyVerdict(p99From(0), p99From(seconds - endSeconds))
}

/** Faster at the end is no fault. */
export function steadyVerdict(firstP99Ms: number, lastP99Ms: number): Verdict {
  const isKnown = firstP99Ms > 0 && lastP99Ms > 0
  return {
    name: 'p99 of the last sixth beside the first',
    seen: `${lastP99Ms.toFixed(1)} ms, ${firstP99Ms.toFixed(1)} ms`,
    required: `at most ${slowerMax} times`,
    fate: isKnown ? (lastP99Ms <= firstP99Ms * slowerMax ? 'met' : 'missed') : 'void',
  }
}
