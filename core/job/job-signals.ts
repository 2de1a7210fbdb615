import type { Sql } from 'postgres'
import type { Log } from '../log.ts'

/** What processes tell each other through Postgres. A nudge only: the truth is the job's row. */
export const jobChannels = {
  finished: 'postern_finished',
  cancel: 'postern_cancel',
  aborted: 'postern_aborted',
} as const

/** Seconds that a closing connection may take. */
const closeSeconds = 1

export type JobChannel = keyof typeof jobChannels

export type JobSignals = {
  /** Resolves when the job was named on the channel, after `timeoutMs`, or when the signal aborts. */
  wait(
    channel: JobChannel,
    jobId: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<boolean>
  /** Calls back for every job named on the channel. */
  listen(channel: JobChannel, listener: (jobId: string) => void): () => void
  close(): Promise<void>
}

/**
 * Listens on a connection of its own for each channel, which postgres.js opens again when it is
 * lost. For two channels of one pool it would queue both again at each failure of either: hundreds
 * of attempts a second, each kept until Postgres is back.
 */
export async function postgresJobSignals(options: {
  /** Opens a pool; called once for each channel. */
  readonly open: () => Sql
  readonly log: Log
  readonly channels: readonly JobChannel[]
}): Promise<JobSignals> {
  const { open, log, channels } = options
  const waiters = new Map<string, Set<() => void>>()
  const listeners = new Map<JobChannel, Set<(jobId: string) => void>>()

  function deliver(channel: JobChannel, payload: string): void {
    for (const jobId of payload.split(',')) {
      for (const wake of waiters.get(`${channel}/${jobId}`) ?? []) wake()
      for (const listener of listeners.get(channel) ?? []) listener(jobId)
    }
  }

  const pools = channels.map((channel) => ({ channel, sql: open() }))
  const subscriptions = await Promise.all(
    pools.map(({ channel, sql }) =>
      sql.listen(
        jobChannels[channel],
        (payload) => deliver(channel, payload),
        () => log.debug('signals.listening', { channel }),
      ),
    ),
  )

  return {
    wait(channel, jobId, { timeoutMs, signal }) {
      const key = `${channel}/${jobId}`
      return new Promise((resolve) => {
        const own = waiters.get(key) ?? new Set()
        waiters.set(key, own)
        const end = (isNamed: boolean) => {
          own.delete(wake)
          if (own.size === 0) waiters.delete(key)
          clearTimeout(timer)
          signal?.removeEventListener('abort', stop)
          resolve(isNamed)
        }
        const wake = () => end(true)
        const stop = () => end(false)
        const timer = setTimeout(stop, timeoutMs)
        own.add(wake)
        signal?.addEventListener('abort', stop)
        if (signal?.aborted === true) stop()
      })
    },
    listen(channel, listener) {
      const own = listeners.get(channel) ?? new Set()
      listeners.set(channel, own)
      own.add(listener)
      return () => own.delete(listener)
    },
    async close() {
      await Promise.allSettled(subscriptions.map((subscription) => subscription.unlisten()))
      await Promise.all(pools.map(({ sql }) => sql.end({ timeout: closeSeconds })))
    },
  }
}
