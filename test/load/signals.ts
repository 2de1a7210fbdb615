export type Signals = {
  /** Whether somebody has asked to stop. */
  isStopping(): boolean
  /** The process that hears the first signal; what is left after it is written as after any run. */
  passTo(child: Bun.Subprocess): void
}

const hardCode = 130

/** The first signal ends the load, the second this process and all that it has started. */
export function hearSignals(): Signals {
  let signals = 0
  let heard: Bun.Subprocess | undefined
  process.once('exit', () => heard?.kill('SIGKILL'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1
      if (signals > 1) process.exit(hardCode)
      heard?.kill(signal)
    })
  }
  return {
    isStopping: () => signals > 0,
    passTo(child) {
      heard = child
    },
  }
}
