import type { ClassState } from './decide-incident.ts'
import type { IncidentClass } from './incident.ts'

/** In the order of looking: a class stands behind those whose failing explains its own. */
export function neededClasses(
  backend: 'redis' | 'postgres',
): readonly (readonly [IncidentClass, readonly IncidentClass[]])[] {
  return [
    ['process', []],
    ['database', []],
    ['queue', backend === 'postgres' ? ['database'] : []],
    ['secret-store', []],
    ['issuer', []],
    ['workers', ['database', 'queue']],
    ['venue', ['database']],
    ['sequencer', ['database']],
    ['tile-store', ['database', 'sequencer']],
    ['gateway', ['database', 'queue', 'secret-store', 'issuer', 'venue']],
  ]
}

/**
 * Since when what a class needs has been there; undefined while some of it fails: then what is seen
 * of the class is no news of it. Never, where nothing is known of any.
 */
export function neededSinceMs(needed: readonly (ClassState | undefined)[]): number | undefined {
  const isFailing = needed.some(
    (one) => one?.episode !== undefined && one.episode.goodMs === undefined,
  )
  if (isFailing) return undefined
  return Math.max(
    Number.NEGATIVE_INFINITY,
    ...needed.map((one) => one?.goodSinceMs ?? Number.NEGATIVE_INFINITY),
  )
}
