import type { Sql } from 'postgres'
import type { Log } from '../log.ts'

/** What processes tell each other through Postgres. A nudge only: the truth is the job's row. */
export const jobChannels = {
  finished: 'postern_finished',
  cancel: 'postern_cancel',
  aborted: 'postern_aborted',
} as const

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

/** Listens on a connection of its own, which postgres.js opens again when it is lost. */
export async function postgresJobSignals(options: {
  readonly sql: Sql
  readonly log: Log
  readonly channels: readonly JobChannel[]
}): Promise<JobSignals> {
  const { sql, log, channels } = options
  const waiters = new Map<string, Set<() => void>>()
  const listeners = new Map<JobChannel, Set<(jobId: string) => void>>()

  function deliver(channel: JobChannel, payload: string): void {
    for (const jobId of payload.split(',')) {
      for (const wake of waiters.get(`${channel}/${jobId}`) ?? []) wake()
      for (const listener of listeners.get(channel) ?? []) listener(jobId)
    }
  }

  const subscriptions = await Promise.all(
    channels.map((channel) =>
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
    },
  }
}
