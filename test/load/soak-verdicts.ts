import { createdOrders } from './measure/answers.ts'
import { exactTimes, type Record as Samples, sortedEntries, totalOf } from './measure/record.ts'
import { exactPercentile } from './measure/response-times.ts'
import { from, type Point, rangeOf, slopeErrorOf, slopeOf } from './measure/trend.ts'
import type { Books } from './stage/books.ts'
import {
  bookVerdicts,
  floorVerdicts,
  type Gates,
  marketVerdicts,
  type Verdict,
} from './verdicts.ts'

/** A line of samples: seconds since the start, and what was seen. */
export type Sampled = {
  readonly name: string
  readonly unit: 'MiB' | 'descriptors' | 'connections'
  /** Others grow with the data that they keep: they are shown, and not judged. */
  readonly isJudged: boolean
  readonly points: readonly Point[]
}

type Named = Pick<Sampled, 'name' | 'unit'>

const growthMibMax = 1
const growthSeconds = 600
const rangeMax = 2
/** Of the samples: who happens to connect while one is taken. */
const outlierPartMax = 0.01
const slowerMax = 1.2
/** Of an hour: the last forty minutes are judged, and ten minutes at either end are compared. */
const judgedPart = 40 / 60
const endPart = 10 / 60

/** Memory swings with each collection: the more samples, the less of it is left in a slope. */
export const sampleEverySeconds = 1
/** Longer than what is between two collections: means of it know nothing of each other. */
const errorOfMeansSeconds = 60
/** Of the samples that were due: on a busy machine some are late. */
const sampledPartMin = 0.5

const processes = ['serve', 'work', 'audit sequence'] as const
const stores = ['postgres', 'redis'] as const
/** Without any of these a soak proves nothing. */
const expected: readonly Named[] = [
  ...processes.flatMap((name) => [
    { name, unit: 'MiB' } as const,
    { name, unit: 'descriptors' } as const,
  ]),
  ...stores.map((name) => ({ name, unit: 'connections' }) as const),
]

export function soakWindows(seconds: number): { judgedFrom: number; endSeconds: number } {
  return { judgedFrom: seconds - seconds * judgedPart, endSeconds: seconds * endPart }
}

export type Soaked = {
  readonly run: { readonly record: Samples; readonly startMs: number }
  readonly samples: readonly Sampled[]
  readonly books: Books
  readonly seconds: number
  readonly users: number
  readonly gates: Gates
}

export function soakVerdicts(soaked: Soaked): readonly Verdict[] {
  const { run, samples, books, seconds, users, gates } = soaked
  const { count, failures } = totalOf(run.record)
  const p99Ms = exactPercentile(exactTimes(sortedEntries(run.record)), 0.99)
  return [
    ...floorVerdicts({ requests: count, failures, p99Ms }, gates),
    endsVerdict(run.record, run.startMs, seconds),
    ...growthVerdicts(samples, seconds),
    ...marketVerdicts(books),
    ...bookVerdicts(books, createdOrders(run.record), users),
  ]
}

export function growthVerdicts(samples: readonly Sampled[], seconds: number): readonly Verdict[] {
  const { judgedFrom } = soakWindows(seconds)
  const pointsMin = Math.max(2, ((seconds - judgedFrom) / sampleEverySeconds) * sampledPartMin)
  const judged = samples.filter(({ isJudged }) => isJudged)
  const absent = expected.filter(
    ({ name, unit }) => !judged.some((one) => one.name === name && one.unit === unit),
  )
  return [...judged, ...absent.map((one) => ({ ...one, points: [] }))].map((one) => {
    const points = from(one.points, judgedFrom)
    return points.length < pointsMin
      ? notSampled(one, points.length, pointsMin)
      : growthVerdict(one, points)
  })
}

function notSampled({ name, unit }: Named, points: number, pointsMin: number): Verdict {
  return {
    name: `${name}, ${unit}`,
    seen: `${points} samples`,
    required: `at least ${Math.ceil(pointsMin)}`,
    fate: 'void',
  }
}

function growthVerdict({ name, unit }: Named, points: readonly Point[]): Verdict {
  if (unit === 'MiB') {
    const growth = slopeOf(points) * growthSeconds
    const error = slopeErrorOf(points, errorOfMeansSeconds) * growthSeconds
    return {
      name: `${name}, RSS`,
      seen: `${growth.toFixed(2)} ± ${error.toFixed(2)} MiB in ten minutes`,
      required: `at most ${growthMibMax}`,
      fate: growth <= growthMibMax ? 'met' : 'missed',
    }
  }
  const values = points.map(([, y]) => y)
  const range = rangeOf(values, outlierPartMax)
  return {
    name: `${name}, ${unit}`,
    seen: `${range} apart (${Math.min(...values)} to ${Math.max(...values)} with outliers)`,
    required: `at most ${rangeMax}`,
    fate: range <= rangeMax ? 'met' : 'missed',
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
