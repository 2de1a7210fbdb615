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

/** What `promise` comes to; rejects with the signal's reason when that comes first. */
export function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = () => signal.removeEventListener('abort', onAbort)
    promise.then(resolve, reject).finally(settled)
  })
}

const backoffFirstMs = 250
const backoffCapMs = 8_000

/** Doubles with each failure, and differs between clients that failed together. */
export function backoffMs(failures: number): number {
  const ms = Math.min(backoffCapMs, backoffFirstMs * 2 ** (failures - 1))
  return ms / 2 + (Math.random() * ms) / 2
}
