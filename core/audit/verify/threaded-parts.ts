import type { openTileSource } from '../store/open-tile-store.ts'
import type { PartResult, PartTask } from './check-part.ts'
import type { PartRunner } from './part-runner.ts'

/** Where a thread finds the log for itself; options that can be sent to another thread. */
export type LogPlace = {
  /** What `openTileSource` opens. */
  readonly location: string
  readonly options: Omit<Parameters<typeof openTileSource>[1], 'now'>
}

export type PartRequest = {
  readonly number: number
  readonly place: LogPlace
  readonly task: PartTask
}

export type PartAnswer =
  | { readonly number: number; readonly result: PartResult }
  | { readonly number: number; readonly problem: string }

/** Parts per thread that wait there, so that it does not wait for us. */
const queuedPerThread = 2

type Waiting = {
  readonly resolve: (result: PartResult) => void
  readonly reject: (error: Error) => void
}

/**
 * Checks on `threads` threads, each with a source of its own. The thread's file has to be an entry
 * point of its own when the binary is compiled (ci/build.ts).
 */
export function threadedParts(place: LogPlace, threads: number): PartRunner {
  const waiting = new Map<number, Waiting>()
  let failure: Error | undefined
  let sent = 0

  function fail(problem: string): void {
    failure ??= new Error(problem)
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
  }

  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(threadUrl())
    worker.onmessage = ({ data }: MessageEvent<PartAnswer>) => {
      const asked = waiting.get(data.number)
      waiting.delete(data.number)
      if ('result' in data) asked?.resolve(data.result)
      else asked?.reject(new Error(data.problem))
    }
    worker.onerror = (event) => fail(`a verifying thread ended: ${event.message}`)
    return worker
  })

  return {
    underWayMax: threads * queuedPerThread,
    run(task) {
      const { promise, resolve, reject } = Promise.withResolvers<PartResult>()
      if (failure !== undefined) return Promise.reject(failure)
      const number = sent++
      waiting.set(number, { resolve, reject })
      const request: PartRequest = { number, place, task }
      workers[number % workers.length]?.postMessage(request)
      return promise
    },
    [Symbol.dispose]() {
      for (const worker of workers) worker.terminate()
    },
  }
}

/** A compiled binary is one file at the root of its own tree, in which the thread keeps its path. */
function threadUrl(): URL {
  const here = import.meta.url
  const isCompiled = here.startsWith('file:///$bunfs/')
  return isCompiled
    ? new URL('./core/audit/verify/part-thread.js', here)
    : new URL('./part-thread.ts', here)
}
