/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

const backoffFirstMs = 250
const backoffCapMs = 8_000

/** Doubles with each failure, and differs between clients that failed together. */
export function backoffMs(failures: number): number {
  const ms = Math.min(backoffCapMs, backoffFirstMs * 2 ** (failures - 1))
  return ms / 2 + (Math.random() * ms) / 2
}
