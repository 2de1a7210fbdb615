import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Refused } from './call.ts'
import { isPaused, noteFresh, onResume } from './freshness.ts'

/** Milliseconds between an answer and the next question. */
const pollMs = 5_000

export type Polled<Value> = {
  /** The last that was answered; it stays while a later question fails. */
  readonly value: Value | undefined
  readonly problem: Refused | undefined
  readonly isLoading: boolean
  refresh(): void
}

/**
 * Asks now and every few seconds, but not while the page is hidden or refreshing is paused; with 0
 * only when told to. What is asked follows `key`: another key begins anew.
 */
export function usePoll<Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  everyMs = pollMs,
): Polled<Value> {
  const [state, setState] = useState<{
    readonly key: string
    readonly value?: Value
    readonly problem?: Refused | undefined
  }>({ key })
  const [round, setRound] = useState(0)
  const asked = useRef(load)
  asked.current = load
  const refresh = useCallback(() => setRound((count) => count + 1), [])

  useEffect(() => {
    const ended = new AbortController()
    const place = everyMs > 0 ? noteFresh() : undefined
    let timer: number | undefined
    const ask = async () => {
      clearTimeout(timer)
      if (document.hidden) return
      try {
        const value = await asked.current(ended.signal)
        if (ended.signal.aborted) return
        place?.answered()
        setState({ key, value })
      } catch (thrown) {
        if (ended.signal.aborted) return
        const problem = asRefused(thrown)
        setState((old) => (old.key === key ? { ...old, problem } : { key, problem }))
      }
      if (!isFinal() && everyMs > 0) timer = setTimeout(next, everyMs)
    }
    const isFinal = () => ended.signal.aborted
    const next = () => {
      if (!isPaused()) void ask()
    }
    const onVisible = () => {
      if (!document.hidden) next()
    }
    if (everyMs > 0) document.addEventListener('visibilitychange', onVisible)
    const offResume = onResume(() => void ask())
    void ask()
    return () => {
      ended.abort()
      clearTimeout(timer)
      place?.leave()
      offResume()
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [key, round, everyMs])

  const current = state.key === key ? state : { key }
  const { value, problem } = current
  return { value, problem, isLoading: value === undefined && problem === undefined, refresh }
}

/** A bug of ours is shown as well: a panel that says nothing would be worse. */
export function asRefused(thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown
  const detail = thrown instanceof Error ? thrown.message : undefined
  return new Refused({ title: 'The page failed', status: 0, detail })
}
