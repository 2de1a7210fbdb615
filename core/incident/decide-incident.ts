import { closesAfterMs, opensAfterMs, type Sight } from './incident.ts'

/** Times are milliseconds of a clock that nobody sets. */
export type Episode = {
  /** The first failing sight. */
  readonly startedMs: number
  /** The last failing sight. */
  readonly failingMs: number
  /** The first good sight behind it. */
  readonly goodMs: number | undefined
  readonly reason: string
  /** It has lasted long enough to be an incident. */
  readonly isOpen: boolean
}

/** What one process knows of one class. */
export type ClassState = {
  /** Every sight has been good since then; undefined: the last one was not. */
  readonly goodSinceMs: number | undefined
  /** Nothing can have failed before: when it served last, or the first sight of all. */
  readonly floorMs: number
  readonly episode: Episode | undefined
}

export function firstState(nowMs: number): ClassState {
  return { goodSinceMs: undefined, floorMs: nowMs, episode: undefined }
}

/** The state behind one more sight, and the incident that this has brought to its end. */
export function decideIncident(
  state: ClassState,
  sight: Sight,
  nowMs: number,
): { readonly state: ClassState; readonly ended: Episode | undefined } {
  switch (sight.kind) {
    case 'unknown':
      return { state: lookAway(state), ended: undefined }
    case 'failing':
      return { state: fail(state, sight, nowMs), ended: undefined }
    case 'good':
      return recover(state, sight.atMs ?? nowMs, nowMs)
  }
}

/** Where nothing is known nothing begins and nothing ends. */
function lookAway({ floorMs, episode }: ClassState): ClassState {
  const kept = episode?.isOpen === true ? { ...episode, goodMs: undefined } : undefined
  return { goodSinceMs: undefined, floorMs, episode: kept }
}

function fail(
  { floorMs, episode }: ClassState,
  { reason, sinceMs }: Extract<Sight, { kind: 'failing' }>,
  nowMs: number,
): ClassState {
  const startedMs = episode?.startedMs ?? Math.min(nowMs, Math.max(floorMs, sinceMs ?? nowMs))
  const isOpen = episode?.isOpen === true || nowMs - startedMs >= opensAfterMs
  return {
    goodSinceMs: undefined,
    floorMs,
    episode: {
      ...{ startedMs, failingMs: nowMs, goodMs: undefined, isOpen },
      reason: episode?.reason ?? reason,
    },
  }
}

function recover(before: ClassState, atMs: number, nowMs: number) {
  const { episode } = before
  const goodSinceMs = before.goodSinceMs ?? nowMs
  const state = { goodSinceMs, floorMs: Math.max(before.floorMs, atMs), episode: undefined }
  if (episode?.isOpen !== true) return { state, ended: undefined }
  const recovering = { ...episode, goodMs: episode.goodMs ?? nowMs }
  if (nowMs - recovering.goodMs < closesAfterMs) {
    return { state: { ...state, episode: recovering }, ended: undefined }
  }
  return { state, ended: recovering }
}
