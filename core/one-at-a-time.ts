/** Runs of the same thing, one after the other. */
export type OneAtATime = {
  /** Runs it, once more if it is running: what gave rise to the call may be behind its look. */
  again(): Promise<void>
  /** Runs it unless it is running. */
  unlessRunning(): Promise<void>
  /** Resolves when nothing runs; nothing runs again afterwards. */
  close(): Promise<void>
}

/** `run` must not reject. */
export function oneAtATime(run: () => Promise<void>): OneAtATime {
  let running: Promise<void> | undefined
  let isAskedAgain = false
  let isClosed = false

  async function runAll(): Promise<void> {
    do {
      isAskedAgain = false
      await run()
    } while (isAskedAgain && !isClosed)
  }

  function unlessRunning(): Promise<void> {
    if (isClosed) return Promise.resolve()
    running ??= runAll().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    again() {
      isAskedAgain = true
      return unlessRunning()
    },
    unlessRunning,
    async close() {
      isClosed = true
      await running
    },
  }
}
