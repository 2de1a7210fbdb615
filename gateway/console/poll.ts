import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Refused } from './call.ts'
import { isPaused, noteFresh, onRefresh } from './freshness.ts'

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
 * only when told to. What is asked follows `key`: another key begins anew. `load` calls `end` when
 * its answer is the last.
 */
export function usePoll<Value>(
  key: string,
  load: (signal: AbortSignal, end: () => void) => Promise<Value>,
  everyMs = pollMs,
): Polled<Value> {
  const [state, setState] = useState<State<Value>>({ key })
  const [round, setRound] = useState(0)
  const asked = useRef(load)
  asked.current = load
  const refresh = useCallback(() => setRound((count) => count + 1), [])

  useEffect(() => {
    const store = (change: (old: State<Value>) => State<Value>) =>
      setState((old) => change(old.key === key ? old : { key }))
    return startPolling(everyMs, async (signal, onAnswer) => {
      let isLast = false
      const end = () => {
        isLast = true
      }
      try {
        const value = await asked.current(signal, end)
        if (signal.aborted) return true
        onAnswer()
        store(() => ({ key, value }))
        return isLast
      } catch (thrown) {
        const problem = asRefused(thrown)
        if (!signal.aborted) store((old) => ({ ...old, problem }))
        // The same question gets the same refusal, and each is a record of the audit log.
        return problem.status === 403 || problem.status === 404
      }
    })
  }, [key, round, everyMs])

  const { value, problem }: State<Value> = state.key === key ? state : { key }
  return { value, problem, isLoading: value === undefined && problem === undefined, refresh }
}

type State<Value> = {
  readonly key: string
  readonly value?: Value
  readonly problem?: Refused
}

/**
 * Asks at once, then again some time after each answer, unless that was final, as `ask` says; then
 * only a person asks once more. Returns what ends it.
 */
function startPolling(
  everyMs: number,
  ask: (signal: AbortSignal, onAnswer: () => void) => Promise<boolean>,
): () => void {
  const ended = new AbortController()
  const place = everyMs > 0 ? noteFresh() : undefined
  let timer: number | undefined
  let isAsked = false
  let isFinal = false
  const round = async () => {
    clearTimeout(timer)
    if (document.hidden) return
    isAsked = true
    isFinal = await ask(ended.signal, () => place?.answered())
    if (ended.signal.aborted) return
    clearTimeout(timer)
    if (isFinal) place?.leave()
    else if (everyMs > 0) timer = setTimeout(goOn, everyMs)
  }
  const goOn = () => {
    const isDue = everyMs > 0 && !isFinal && !isPaused()
    if (isDue || !isAsked) void round()
  }
  document.addEventListener('visibilitychange', goOn)
  const offRefresh = onRefresh((why) => (why === 'asked' ? void round() : goOn()))
  void round()
  return () => {
    ended.abort()
    clearTimeout(timer)
    place?.leave()
    offRefresh()
    document.removeEventListener('visibilitychange', goOn)
  }
}

/** A bug of ours is shown as well: a panel that says nothing would be worse. */
export function asRefused(thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown
  const detail = thrown instanceof Error ? thrown.message : undefined
  return new Refused({ title: 'The page failed', status: 0, detail })
}
