import { errorCatalog, PosternError } from '#core/errors.ts'
import type { JobChange } from '#core/job/job-store.ts'

/** A quiet connection is cut by listeners and proxies. */
const heartbeatMs = 5_000
/** What was revoked is to be deaf within seconds; proving it again is a look-up. */
const proveMs = 1_000

export type EventStreamOptions = {
  readonly changes: AsyncIterable<JobChange>
  /** True for the change after which nothing more can come. */
  readonly isLast: (change: JobChange) => boolean
  /** Throws when the caller may no longer listen; the stream ends. */
  readonly stillAdmitted: () => Promise<void>
  /** Calls back when that may have changed; returns what ends the calls. */
  readonly onDenial: (listener: () => Promise<void>) => () => void
  /** The reader has left. */
  readonly gone: AbortSignal
  /** Called once, however the stream ends; must end `changes`. */
  readonly onEnd: () => void
}

/**
 * Job changes as server-sent events. Pulled, so that a slow reader slows the source and fills no
 * buffer. The headers are gone when something fails: the last event then says what.
 */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { gone, onEnd } = options
  const encoder = new TextEncoder()
  const lost = Promise.withResolvers<never>()
  // Nobody may be reading when it comes.
  lost.promise.catch(() => undefined)
  const frames = eventFrames(options, lost.promise)
  const forget = options.onDenial(() => options.stillAdmitted().catch(lost.reject))
  let isOpen = true

  function end(): void {
    if (!isOpen) return
    isOpen = false
    gone.removeEventListener('abort', end)
    forget()
    onEnd()
  }

  gone.addEventListener('abort', end)
  if (gone.aborted) end()
  return new ReadableStream({
    async pull(controller) {
      const frame = await frames.next()
      if (frame.done !== true) return controller.enqueue(encoder.encode(frame.value))
      controller.close()
      end()
    },
    cancel: end,
  })
}

async function* eventFrames(
  options: EventStreamOptions,
  lost: Promise<never>,
): AsyncGenerator<string> {
  yield 'retry: 1000\n\n'
  try {
    yield* changeFrames(options, lost)
  } catch (error) {
    const code = error instanceof PosternError ? error.code : 'internal'
    const problem = { type: `/problems/${code}`, ...errorCatalog[code], code }
    yield `event: problem\ndata: ${JSON.stringify(problem)}\n\n`
  }
}

async function* changeFrames(
  options: EventStreamOptions,
  lost: Promise<never>,
): AsyncGenerator<string> {
  const { isLast, stillAdmitted } = options
  const source = options.changes[Symbol.asyncIterator]()
  let provedAt = performance.now()
  let saidAt = provedAt
  let next = nextOf(source)
  for (;;) {
    const result = await beforeProof(next, lost)
    const now = performance.now()
    if (now - provedAt >= proveMs) {
      await stillAdmitted()
      provedAt = now
    }
    if (result === undefined) {
      if (now - saidAt < heartbeatMs) continue
      yield ':\n\n'
      saidAt = now
      continue
    }
    if (result.done === true) return
    yield formatChange(result.value)
    saidAt = now
    if (isLast(result.value)) return
    next = nextOf(source)
  }
}

function nextOf(source: AsyncIterator<JobChange>): Promise<IteratorResult<JobChange>> {
  const next = source.next()
  // It may fail after the stream has ended, when nobody awaits it any more.
  next.catch(() => undefined)
  return next
}

/** Undefined when the next proof is due first; what is lost comes before what is there. */
async function beforeProof<Value>(
  value: Promise<Value>,
  lost: Promise<never>,
): Promise<Value | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), proveMs)
  try {
    return await Promise.race([lost, value, promise])
  } finally {
    clearTimeout(timer)
  }
}

function formatChange({ cursor, job }: JobChange): string {
  return `id: ${cursor}\nevent: job\ndata: ${JSON.stringify(job)}\n\n`
}
