import { PosternError } from '../errors.ts'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { databaseOutage } from '../postgres/outage.ts'
import { type ClassState, decideIncident, firstState } from './decide-incident.ts'
import { type IncidentClass, type Sight, unknown } from './incident.ts'
import type { Look } from './looks.ts'
import { neededClasses, neededSinceMs } from './needs.ts'
import type { IncidentStore } from './postgres-incidents.ts'
import { silenceWatch } from './silence.ts'
import { incidentTeller, showOpen } from './tell-incidents.ts'

/** Between two looks: a time of an incident is right to a second. */
const lookMs = 1_000
/** Milliseconds; a look that takes longer has seen nothing. */
const lookMsMax = 1_000
/** Milliseconds that a stop waits for what is being told. */
const closeMsMax = 2_000
/** Milliseconds without a look: the process itself stood still, and has seen nothing of it. */
const stoodStillMs = 4_000

export type IncidentWatchOptions = {
  readonly store: IncidentStore
  /** What this process can look at. */
  readonly looks: Readonly<Partial<Record<IncidentClass, Look>>>
  readonly backend: 'redis' | 'postgres'
  readonly metrics: Metrics
  readonly log: Log
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs?: () => number
}

export type IncidentWatch = {
  /** One look at everything. */
  look(): Promise<void>
  /** Tells what that has come to, where there is a database. Throws what the store throws. */
  tell(): Promise<void>
  /** Says that the process was stopped in order. */
  close(): Promise<void>
}

/**
 * Sees whether the service can serve, as far as this process can see it. Every process watches:
 * what one of them reaches another may not. None leads, because nothing has to be decided by one:
 * Postgres holds at most one open incident of a class, and closes it for whoever is first.
 */
export function incidentWatch(options: IncidentWatchOptions): IncidentWatch {
  const { store, looks, metrics, log, monotonicMs = () => performance.now() } = options
  const needs = neededClasses(options.backend)
  const states = new Map<IncidentClass, ClassState>()
  const teller = incidentTeller(options)
  const startedMs = monotonicMs()
  const silence = silenceWatch({ store, startedMs, keep: (ended) => teller.keep('process', ended) })
  let lookedMs = startedMs

  function decide(of: IncidentClass, sight: Sight, nowMs: number): void {
    const { state, ended } = decideIncident(states.get(of) ?? firstState(startedMs), sight, nowMs)
    states.set(of, state)
    if (ended !== undefined) teller.keep(of, ended)
  }

  async function see(
    of: IncidentClass,
    needed: readonly IncidentClass[],
    nowMs: number,
  ): Promise<Sight> {
    const backMs = neededSinceMs(needed.map((one) => states.get(one)))
    const look = looks[of]
    if (backMs === undefined || look === undefined) return unknown
    try {
      const seen = Promise.try(() => look(nowMs, Math.max(backMs, startedMs)))
      return await inTime(seen, lookMsMax, () => new Error('the look took too long'))
    } catch (error) {
      log.debug('incident.unseen', { class: of, error })
      return unknown
    }
  }

  function show(): void {
    showOpen(metrics, (of) => states.get(of)?.episode?.isOpen === true || teller.isOpen(of))
  }

  return {
    async look() {
      const stoodStill = monotonicMs() - lookedMs > stoodStillMs
      for (const [of, needed] of needs) {
        if (looks[of] === undefined) continue
        if (stoodStill) decide(of, unknown, monotonicMs())
        const nowMs = monotonicMs()
        decide(of, await see(of, needed, nowMs), nowMs)
      }
      lookedMs = monotonicMs()
      show()
    },
    async tell() {
      // Nobody to tell anything: it waits here.
      if (states.get('database')?.goodSinceMs === undefined) return
      await silence.say(monotonicMs())
      await teller.tell(states, monotonicMs)
      show()
    },
    close: () => silence.stop(),
  }
}

/** Looks every second until it is closed. */
export function watchIncidents(options: IncidentWatchOptions): { close(): Promise<void> } {
  const { log } = options
  const watch = incidentWatch(options)
  const fail = (error: unknown) => {
    const isOutage = error instanceof PosternError || databaseOutage(error) !== undefined
    log[isOutage ? 'warn' : 'error']('incident.not_told', { error })
  }
  // Apart: what is being told may hang with the database, which must not keep anybody from seeing it.
  const tells = oneAtATime(() => watch.tell().catch(fail))
  const looks = oneAtATime(() => watch.look().catch(fail))
  const round = () => void looks.unlessRunning().then(() => tells.unlessRunning())
  const timer = setInterval(round, lookMs)
  round()
  return {
    async close() {
      clearInterval(timer)
      const said = Promise.all([looks.close(), tells.close()]).then(watch.close)
      // With a database that hangs, nothing is said, and the rest of the process stops all the same.
      await inTime(said, closeMsMax, () => new Error('a stop in order was not told')).catch(fail)
    },
  }
}
