import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { ClassState, Episode } from './decide-incident.ts'
import { closesAfterMs, forgottenAfterMs, type IncidentClass, incidentClasses } from './incident.ts'
import type { IncidentStore, OpenIncident, ToldEpisode } from './postgres-incidents.ts'

/** Incidents that wait for a database to be told to; the oldest are forgotten first. */
const waitingMax = 100
/** Milliseconds between two times that a process says that it still sees one. */
const againMs = 2_000
/** Milliseconds between two looks at what others have told. */
const readMs = 2_000
const forgottenSeconds = forgottenAfterMs / 1_000

export type TellOptions = {
  readonly store: IncidentStore
  readonly metrics: Pick<Metrics, 'incidents' | 'incidentRecoverySeconds'>
  readonly log: Log
}

export type Teller = {
  /** Keeps an incident that is over until it can be told. */
  keep(of: IncidentClass, ended: Episode): void
  /** Tells what is to be told, and closes what serves again. Throws what the store throws. */
  tell(states: ReadonlyMap<IncidentClass, ClassState>, now: () => number): Promise<void>
  /** As Postgres had it last. */
  isOpen(of: IncidentClass): boolean
}

type Told = { readonly goodMs: number | undefined; readonly atMs: number }

/** Brings what a process has seen to Postgres, with its true times. */
export function incidentTeller({ store, metrics, log }: TellOptions): Teller {
  const waiting: (readonly [IncidentClass, Episode])[] = []
  const told = new Map<IncidentClass, Told>()
  let rows: readonly OpenIncident[] = []
  let readAtMs = Number.NEGATIVE_INFINITY

  async function open(of: IncidentClass, episode: Episode, nowMs: number): Promise<void> {
    readAtMs = Number.NEGATIVE_INFINITY
    if (!(await store.tell(asTold(of, episode, nowMs)))) return
    metrics.incidents.inc({ class: of })
    log.warn('incident.opened', { class: of, reason: episode.reason })
  }

  async function close(of: IncidentClass, goodMs: number, nowMs: number): Promise<void> {
    const seconds = await store.close(of, (nowMs - goodMs) / 1_000)
    if (seconds === undefined) return
    readAtMs = Number.NEGATIVE_INFINITY
    metrics.incidentRecoverySeconds.observe({ class: of }, seconds)
    log.info('incident.recovered', { class: of, seconds })
  }

  async function tellWaiting(now: () => number): Promise<void> {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [of, episode] = next
      await open(of, episode, now())
      // Before the next of its class, which is another one.
      await close(of, episode.goodMs ?? episode.failingMs, now())
      waiting.shift()
    }
  }

  async function tellSeen(of: IncidentClass, episode: Episode, nowMs: number): Promise<void> {
    const last = told.get(of)
    const isNews = last === undefined || last.goodMs !== episode.goodMs
    if (!isNews && (episode.goodMs !== undefined || nowMs - last.atMs < againMs)) return
    await open(of, episode, nowMs)
    told.set(of, { goodMs: episode.goodMs, atMs: nowMs })
  }

  async function closeOne(row: OpenIncident, state: ClassState | undefined, nowMs: number) {
    const { class: of, failingAge } = row
    const goodMs = state?.goodSinceMs
    if (goodMs === undefined) {
      if (failingAge <= forgottenSeconds || state?.episode !== undefined) return
      readAtMs = Number.NEGATIVE_INFINITY
      await store.closeUnseen(of)
      return
    }
    if (isQuiet(failingAge) && nowMs - goodMs >= closesAfterMs) await close(of, goodMs, nowMs)
  }

  return {
    keep(of, ended) {
      told.delete(of)
      waiting.push([of, ended])
      if (waiting.length <= waitingMax) return
      const [forgotten] = waiting.splice(0, 1)
      log.error('incident.forgotten', { class: forgotten?.[0] })
    },
    async tell(states, now) {
      await tellWaiting(now)
      for (const [of, { episode }] of states) {
        if (episode?.isOpen === true) await tellSeen(of, episode, now())
        else told.delete(of)
      }
      if (now() - readAtMs >= readMs) {
        rows = await store.open()
        readAtMs = now()
      }
      for (const row of rows) await closeOne(row, states.get(row.class), now())
    },
    isOpen: (of) => rows.some((row) => row.class === of),
  }
}

/** Who still sees it failing has said so less than this ago; below zero the clock was set back. */
const isQuiet = (failingAge: number) => failingAge < 0 || failingAge * 1_000 >= closesAfterMs

function asTold(of: IncidentClass, episode: Episode, nowMs: number): ToldEpisode {
  const age = (ms: number) => (nowMs - ms) / 1_000
  const { reason, startedMs, failingMs, goodMs } = episode
  return {
    ...{ class: of, reason, startedAge: age(startedMs), failingAge: age(failingMs) },
    goodAge: goodMs === undefined ? undefined : age(goodMs),
  }
}

/** Every class, so that none is missing where nothing has happened. */
export function showOpen(
  { incidentsOpen }: Pick<Metrics, 'incidentsOpen'>,
  isOpen: (of: IncidentClass) => boolean,
): void {
  for (const of of incidentClasses) incidentsOpen.set({ class: of }, isOpen(of) ? 1 : 0)
}
