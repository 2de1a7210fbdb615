import { readText } from './answer.ts'
import { ask, type Fetch, type OpenAnswer, type Question, unreachable } from './ask.ts'
import { backoffMs, pause } from './pause.ts'
import { PosternProblem, problemIn } from './problem.ts'
import type { TokenSource } from './token.ts'

export type Sending = Question & {
  /** Whether a second arrival of the same request does no harm. */
  readonly isRepeatable: boolean
  /** For one attempt, the reading of its answer included. */
  readonly timeoutMs: number
}

export type SenderOptions = {
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly attemptsMax: number
  readonly retryAfterSecondsMax: number
}

export type Sender = {
  /** The answer as text; retried where that is safe and may help. Throws `PosternProblem`. */
  send(sending: Sending): Promise<string>
  /** An answer whose body is still to be read, of one attempt, within a time. Throws `PosternProblem`. */
  open(question: Question, withinMs: number): Promise<OpenAnswer>
}

export function sender(options: SenderOptions): Sender {
  const { attemptsMax } = options

  async function send(sending: Sending): Promise<string> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt(sending)
      } catch (error) {
        if (failures >= attemptsMax) throw error
        await pause(pauseMsAfter(error, sending, failures), sending.signal)
      }
    }
  }

  /** Until the next attempt; throws the error where there should be none. */
  function pauseMsAfter(error: unknown, { isRepeatable }: Sending, failures: number): number {
    if (!(error instanceof PosternProblem) || !mayPass(error, isRepeatable)) throw error
    const seconds = error.retryAfterSeconds
    if (seconds === undefined) return backoffMs(failures)
    if (seconds > options.retryAfterSecondsMax) throw error
    return seconds * 1_000
  }

  function attempt(sending: Sending): Promise<string> {
    return within(sending.timeoutMs, sending.signal, async (signal) => {
      const answer = await open({ ...sending, signal })
      return await textOf(answer)
    })
  }

  async function textOf({ response, token }: OpenAnswer): Promise<string> {
    try {
      return await readText(response)
    } catch (error) {
      if (error instanceof PosternProblem || isAbort(error)) throw error
      throw unreachable(error, token)
    }
  }

  async function open(question: Question): Promise<OpenAnswer> {
    const answer = await ask(question, options)
    if (answer.response.ok) return answer
    throw problemIn(answer.response, await textOf(answer), answer.token)
  }

  return {
    send,
    open: (question, withinMs) =>
      within(withinMs, question.signal, (signal) => open({ ...question, signal })),
  }
}

/** A timer of more fires at once. */
const timerMsMax = 2_147_483_647

/**
 * What comes of `work`, or a problem once the time is over; a caller who aborts is told his reason.
 * Of what `work` has given, the time ends nothing.
 */
export async function within<Value>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const late = new AbortController()
  // `AbortSignal.timeout` could not be stopped, and would cut the body of an answer in time.
  const timer = setTimeout(() => late.abort(), Math.min(ms, timerMsMax))
  try {
    return await work(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]))
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PosternProblem || !late.signal.aborted) throw error
    throw timedOut(ms)
  } finally {
    clearTimeout(timer)
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
}

/** What an operator has decided does not pass within seconds. */
const decided: ReadonlySet<string> = new Set(['trading.halted'])
/** 502 and 504 are a proxy's: ours is 503. */
const passing: ReadonlySet<number> = new Set([502, 503, 504])

/** Whether the same request may soon be answered otherwise, and does no harm if it was not lost. */
export function mayPass(problem: PosternProblem, isRepeatable: boolean): boolean {
  if (problem.status === 429 || problem.code === 'idempotency.in_flight') return true
  if (!isRepeatable || decided.has(problem.code)) return false
  if (problem.code === 'client.unreachable' || problem.code === 'client.timed_out') return true
  return passing.has(problem.status)
}

function timedOut(ms: number): PosternProblem {
  return new PosternProblem({
    code: 'client.timed_out',
    status: 0,
    title: 'No answer in time',
    detail: `Nothing complete came within ${ms} ms.`,
  })
}
