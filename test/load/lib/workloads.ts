import { offeredLoad } from './offered-load.ts'
import { type ClassFilter, classesOf, everyClass, type Profile } from './profile.ts'
import { splitUsers } from './split-users.ts'

/** What a run is asked for; seconds. */
export type Shape = {
  readonly users: number
  readonly spawnRate: number
  readonly seconds: number
  readonly stopSeconds: number
}

/** k6's words for a scenario. */
export type Scenario = Readonly<Record<string, unknown>> & {
  readonly executor: string
  readonly exec: string
}

export type K6Options = {
  readonly scenarios: Readonly<Record<string, Scenario>>
  readonly thresholds: Readonly<Record<string, readonly string[]>>
  readonly summaryTrendStats: readonly string[]
  readonly discardResponseBodies: boolean
  readonly noConnectionReuse: boolean
}

/** Requests that are expected of a name before none of them is a fault: chance leaves out fewer. */
const expectedMin = 30
const percentiles = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'count']

/** One scenario for each class that has users, all there after `users / spawnRate` seconds. */
export function closedOptions(
  profile: Profile,
  shape: Shape,
  filter: ClassFilter = everyClass,
): K6Options {
  const classes = classesOf(profile, filter)
  const shares = splitUsers(classes, shape.users)
  const rampSeconds = shape.users / shape.spawnRate
  if (rampSeconds > shape.seconds) {
    throw new Error(`${shape.users} users at ${shape.spawnRate}/s are not there within the run`)
  }
  const scenarios = [...shares].flatMap(([name, share]) =>
    share === 0
      ? []
      : [[name, { ...rampingScenario(share, rampSeconds, shape), ...playing(name) }] as const],
  )
  const offered = offeredLoad(profile, classes, shares)
  const seconds = shape.seconds - rampSeconds / 2
  return optionsOf(Object.fromEntries(scenarios), profile, { offered, seconds })
}

/** How a user knows its class: k6 makes an object of many getters to tell a scenario's name. */
const playing = (name: string) => ({ env: { CLASS: name } })

function rampingScenario(share: number, rampSeconds: number, shape: Shape): Scenario {
  return {
    executor: 'ramping-vus',
    exec: 'user',
    startVUs: 0,
    stages: [
      { duration: duration(rampSeconds), target: share },
      { duration: duration(shape.seconds - rampSeconds), target: share },
    ],
    gracefulRampDown: '0s',
    gracefulStop: duration(shape.stopSeconds),
  }
}

/** From a first number of users to ten times as many within seconds, and back. */
export function spikeOptions(profile: Profile, shape: Shape): K6Options {
  const classes = classesOf(profile, everyClass)
  const calm = splitUsers(classes, Math.max(1, Math.round(shape.users / 10)))
  const busy = splitUsers(classes, shape.users)
  const steps = [0.1, 0.25, 0.1, 0.3, 0.05, 0.2].map((part) => part * shape.seconds)
  const scenarios = [...busy].flatMap(([name, most]) => {
    if (most === 0) return []
    const few = calm.get(name) ?? 0
    const targets = [few, few, most, most, few, few]
    const stages = steps.map((seconds, at) => ({
      duration: duration(seconds),
      target: targets[at] ?? 0,
    }))
    const scenario = {
      ...{ executor: 'ramping-vus', exec: 'user', startVUs: 0, stages },
      ...{ gracefulRampDown: duration(1), gracefulStop: duration(shape.stopSeconds) },
      ...playing(name),
    }
    return [[name, scenario] as const]
  })
  const offered = offeredLoad(profile, classes, calm)
  return optionsOf(Object.fromEntries(scenarios), profile, { offered, seconds: shape.seconds })
}

export type OpenShape = {
  readonly rate: number
  readonly seconds: number
  /** Requests that may be under way at once. */
  readonly users: number
  readonly stopSeconds: number
}

/** A fixed rate, whatever the answers take: what is not sent on time is counted as dropped. */
export function openOptions(
  profile: Profile,
  { rate, seconds, users, stopSeconds }: OpenShape,
  exec = 'anyone',
): K6Options {
  const open = {
    executor: 'constant-arrival-rate',
    exec,
    rate: Math.max(1, Math.round(rate)),
    timeUnit: '1s',
    duration: duration(seconds),
    // As many as at most, or some are dropped while more start.
    preAllocatedVUs: users,
    maxVUs: users,
    gracefulStop: duration(stopSeconds),
  }
  const options = optionsOf({ open }, profile, { offered: new Map(), seconds })
  return { ...options, thresholds: { ...options.thresholds, dropped_iterations: ['count==0'] } }
}

/** No thresholds but the ones that tell a broken script: whoever steps up judges the steps. */
export function ungated(options: K6Options): K6Options {
  return { ...options, thresholds: { task_exceptions: ['count==0'] } }
}

/**
 * Without limits of response times, which the launcher judges by exact figures: k6 sorts all that it has each
 * two seconds to look at them, and after an hour of 300 users took 29 % more CPU than in its first minutes;
 * without them as much as then.
 */
export function untimed({ thresholds, ...options }: K6Options): K6Options {
  const kept = Object.entries(thresholds).filter(([name]) => !name.startsWith('http_req_duration'))
  return { ...options, thresholds: Object.fromEntries(kept) }
}

function optionsOf(
  scenarios: K6Options['scenarios'],
  { gates }: Profile,
  load: { readonly offered: ReadonlyMap<string, number>; readonly seconds: number },
): K6Options {
  const isFast = `p(99)<${gates.p99MsMax}`
  const expected = [...load.offered].filter(([, rate]) => rate * load.seconds >= expectedMin)
  const named = expected.flatMap(([name]) => [
    [`http_req_duration{name:${name}}`, [isFast]] as const,
    // Without a sample a percentile passes.
    [`http_reqs{name:${name}}`, ['count>0']] as const,
  ])
  return {
    scenarios,
    thresholds: {
      http_reqs: ['count>0'],
      http_req_failed: [`rate<${gates.failureRatioMax}`],
      http_req_duration: [isFast],
      task_exceptions: ['count==0'],
      ...Object.fromEntries(named),
    },
    summaryTrendStats: percentiles,
    discardResponseBodies: false,
    noConnectionReuse: false,
  }
}

function duration(seconds: number): string {
  return `${Math.round(seconds * 1_000)}ms`
}
