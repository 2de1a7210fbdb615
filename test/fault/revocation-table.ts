import { say } from './stage.ts'

/** One revocation, seen from outside and as the service says it was. */
export type Sample = {
  readonly class: string
  /** Milliseconds from the answer that it is in force until everything of it was refused or ended. */
  readonly outsideMs: number
  /** What `effective_seconds` says; undefined while it is not effective. */
  readonly oursMs: number | undefined
  /** Milliseconds that something was still alive after the service said it was refused everywhere. */
  readonly earlyMs: number
}

const p99MsMax = 5_000
export const msMax = 60_000
/** What a prober may be late; the service's own tries every 250 ms. */
const earlyMsMax = 250
/** Milliseconds between a commit and its answer, and the grain of two probes. */
const columns = [22, 5, 9, 9, 9, 10, 10, 10, 10]

const seconds = (ms: number) => (ms / 1_000).toFixed(2)

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

/** Says the figures; returns what of the promise is broken. */
export function tabulate(title: string, samples: readonly Sample[]): readonly string[] {
  say('')
  say(`${title} (seconds)`)
  const names = ['class', 'n', 'p50', 'p99', 'max', 'ours p50', 'ours p99', 'ours max', 'too early']
  say(row(names))
  const groups = [...Map.groupBy(samples, (sample) => sample.class)]
  for (const [name, group] of [...groups, ['all', samples] as const]) say(row(cells(name, group)))
  return groups.flatMap(([name, group]) => faultsOf(`${title}: ${name}`, group))
}

const row = (cells: readonly string[]) =>
  cells
    .map((cell, at) => (at === 0 ? cell.padEnd(columns[at] ?? 0) : cell.padStart(columns[at] ?? 0)))
    .join('')

function cells(name: string, samples: readonly Sample[]): readonly string[] {
  const outside = samples.map(({ outsideMs }) => outsideMs)
  const ours = samples.map(({ oursMs }) => oursMs ?? Number.POSITIVE_INFINITY)
  return [
    name,
    String(samples.length),
    ...[0.5, 0.99, 1].map((share) => seconds(quantile(outside, share))),
    ...[0.5, 0.99, 1].map((share) => seconds(quantile(ours, share))),
    seconds(Math.max(...samples.map(({ earlyMs }) => earlyMs))),
  ]
}

function faultsOf(what: string, samples: readonly Sample[]): readonly string[] {
  const p99 = quantile(
    samples.map(({ outsideMs }) => outsideMs),
    0.99,
  )
  const early = Math.max(...samples.map(({ earlyMs }) => earlyMs))
  const isSlow = samples.some(({ outsideMs }) => outsideMs > msMax)
  return [
    ...(p99 > p99MsMax ? [`${what}: p99 is ${seconds(p99)} s`] : []),
    ...(isSlow ? [`${what}: one took more than ${seconds(msMax)} s`] : []),
    ...(early > earlyMsMax
      ? [`${what}: said to be refused ${seconds(early)} s before it was`]
      : []),
    ...(samples.some(({ oursMs }) => oursMs === undefined)
      ? [`${what}: one is not effective`]
      : []),
  ]
}
