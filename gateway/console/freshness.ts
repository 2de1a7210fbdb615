import { useEffect, useState } from 'preact/hooks'

type Place = { answeredAt: number | undefined }

const places = new Set<Place>()
const listeners = new Set<() => void>()
/** A person wants all of it anew, or what refreshes by itself goes on doing so. */
type Why = 'asked' | 'resumed'
const refreshers = new Set<(why: Why) => void>()
let paused = false

function tell(): void {
  for (const listener of listeners) listener()
}

/**
 * Something of the view that is kept fresh: it tells when it was answered, and when it is kept no
 * more. Its next answer brings it back.
 */
export function noteFresh(): { answered(): void; leave(): void } {
  const place: Place = { answeredAt: undefined }
  places.add(place)
  return {
    answered() {
      places.add(place)
      place.answeredAt = Date.now()
      tell()
    },
    leave() {
      places.delete(place)
      tell()
    },
  }
}

export const isPaused = (): boolean => paused

export function onRefresh(listener: (why: Why) => void): () => void {
  refreshers.add(listener)
  return () => void refreshers.delete(listener)
}

export function setPaused(value: boolean): void {
  paused = value
  if (!value) for (const refresh of refreshers) refresh('resumed')
  tell()
}

export function refreshAll(): void {
  for (const refresh of refreshers) refresh('asked')
}

/**
 * Of all that the view shows, the time of what is oldest. Whoever uses it is drawn again with each
 * answer, and when refreshing is paused or goes on.
 */
export function useFreshness(): number | undefined {
  const [, setRound] = useState(0)
  useEffect(() => {
    const listener = () => setRound((round) => round + 1)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [])
  const times = [...places].flatMap(({ answeredAt }) => answeredAt ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}
