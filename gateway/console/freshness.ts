import { useEffect, useState } from 'preact/hooks'

type Place = { answeredAt: number | undefined }

const places = new Set<Place>()
const listeners = new Set<() => void>()
const resumers = new Set<() => void>()
let paused = false

function tell(): void {
  for (const listener of listeners) listener()
}

/** Something of the view that is kept fresh: it tells when it was answered, and when it is gone. */
export function noteFresh(): { answered(): void; leave(): void } {
  const place: Place = { answeredAt: undefined }
  places.add(place)
  return {
    answered() {
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

/** Called when refreshing goes on, or is asked for. */
export function onResume(listener: () => void): () => void {
  resumers.add(listener)
  return () => void resumers.delete(listener)
}

export function setPaused(value: boolean): void {
  paused = value
  if (!value) refreshAll()
  tell()
}

export function refreshAll(): void {
  for (const resume of resumers) resume()
}

/** Of all that the view shows, the time of what is oldest. */
export function useFreshness(): {
  readonly oldestAt: number | undefined
  readonly isPaused: boolean
} {
  const [, setRound] = useState(0)
  useEffect(() => {
    const listener = () => setRound((round) => round + 1)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [])
  const times = [...places].flatMap(({ answeredAt }) => answeredAt ?? [])
  return { oldestAt: times.length === 0 ? undefined : Math.min(...times), isPaused: paused }
}
