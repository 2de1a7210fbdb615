/** What may be unable to serve; a closed set, and at most one incident of each is open. */
export const incidentClasses = [
  /** No process that serves was alive. */
  'process',
  'database',
  /** The queue engine does not take jobs. */
  'queue',
  /** The engine takes jobs, and nobody takes them from there. */
  'workers',
  /** No gateway is alive, or it answers 5xx for reasons of its own. */
  'gateway',
  /** Nobody gives audit records their place in the log. */
  'sequencer',
  /** Signed checkpoints are not published. */
  'tile-store',
  'secret-store',
  /** Keys of an issuer cannot be fetched. */
  'issuer',
  /** A breaker of a venue is open. */
  'venue',
] as const
export type IncidentClass = (typeof incidentClasses)[number]

/**
 * Milliseconds that something fails before it is an incident: callers who heed Retry-After, and a
 * balancer that asks three times, ride out less, and a single late probe is no outage.
 */
export const opensAfterMs = 5_000
/**
 * Milliseconds that it serves before the incident is closed: what is restarted falls over once more
 * within seconds, and every process tells its own view within that time. No time of an incident
 * contains it.
 */
export const closesAfterMs = 10_000
/** Milliseconds; an incident that nobody has seen for as long, and nobody knows anything of, is closed. */
export const forgottenAfterMs = 3_600_000
/** Days that it is kept once it is over: four quarters and the one under way. */
export const incidentDaysKept = 400

/**
 * What a look came to, with times (monotonic) where it knows better than that it looked: until when
 * it certainly served, and since when it does not.
 */
export type Sight =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'good'; readonly atMs?: number }
  | { readonly kind: 'failing'; readonly reason: string; readonly sinceMs?: number }

export const good: Sight = { kind: 'good' }
export const unknown: Sight = { kind: 'unknown' }

export function failing(reason: string, sinceMs?: number): Sight {
  return { kind: 'failing', reason, ...(sinceMs === undefined ? {} : { sinceMs }) }
}
