import { useEffect, useState } from 'preact/hooks'

const listeners = new Set<() => void>()
let timer: number | undefined

/** One timer for all that tells how long ago something was; none while nobody looks. */
function listen(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    if (document.hidden) return
    for (const tell of listeners) tell()
  }, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Milliseconds since the epoch, a second old at most. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => listen(() => setNow(Date.now())), [])
  return now
}
