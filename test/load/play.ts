import type { Flags, Workload } from './flags.ts'
import { type K6Run, runK6 } from './k6.ts'
import type { Profile } from './lib/profile.ts'
import { hearSignals } from './signals.ts'

export type Shape = {
  readonly users: number
  readonly spawnRate: number
  readonly seconds: number
  /** A second, of the workloads that have one. */
  readonly rate: number | undefined
}

/** What a workload is where nothing else is said. */
const usual: Readonly<Record<Workload, Shape>> = {
  smoke: { users: 10, spawnRate: 10, seconds: 20, rate: undefined },
  baseline: { users: 100, spawnRate: 10, seconds: 120, rate: undefined },
  '10x': { users: 1_000, spawnRate: 100, seconds: 300, rate: undefined },
  soak: { users: 300, spawnRate: 30, seconds: 3_600, rate: undefined },
  spike: { users: 1_000, spawnRate: 100, seconds: 120, rate: undefined },
  breakpoint: { users: 500, spawnRate: 500, seconds: 20, rate: 200 },
  'open-model': { users: 500, spawnRate: 500, seconds: 120, rate: 500 },
  scoring: { users: 100, spawnRate: 100, seconds: 60, rate: 20 },
  'rotation-under-load': { users: 100, spawnRate: 20, seconds: 120, rate: undefined },
}

export function shapeOf(flags: Flags): Shape {
  const { users, spawnRate, seconds, rate } = usual[flags.workload]
  return {
    users: flags.users ?? users,
    spawnRate: flags.spawnRate ?? spawnRate,
    seconds: flags.seconds ?? seconds,
    rate: flags.rate ?? rate,
  }
}

export type Player = {
  play(
    host: string,
    tokensFile: string | undefined,
    more?: { readonly seconds?: number; readonly ownCancels?: boolean },
  ): Promise<K6Run>
}

/** Plays the workload; a signal goes on to the k6 that runs. */
export function plays(options: {
  readonly program: string
  readonly flags: Flags
  readonly profile: Profile
}): Player {
  const { program, flags } = options
  const { users, spawnRate, seconds, rate } = shapeOf(flags)
  const signals = hearSignals()
  return {
    async play(host, tokensFile, more = {}) {
      if (signals.isStopping()) throw new Error('ended by a signal before the load began')
      return await runK6(program, {
        workload: flags.workload,
        host,
        tokensFile,
        seconds: more.seconds ?? seconds,
        values: {
          USERS: String(users),
          SPAWN_RATE: String(spawnRate),
          RATE: rate === undefined ? undefined : String(rate),
          STOP_SECONDS: String(flags.stopSeconds),
          CLASSES: flags.filter.names.join(','),
          TAGS: flags.filter.tags.join(','),
          EXCLUDE_TAGS: flags.filter.excludedTags.join(','),
          EQUAL_WEIGHTS: flags.filter.isEqual ? '1' : '0',
          OWN_CANCELS: more.ownCancels === true ? '1' : '0',
        },
        onStart: signals.passTo,
      })
    },
  }
}
