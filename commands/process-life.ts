import { ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { type CommandIo, exitCodes } from './command-io.ts'

/**
 * The first SIGTERM or SIGINT asks for a drain; a second one does not wait for it. A process that a
 * supervisor started is also drained when that one is gone: nobody would pass it a signal any more.
 */
export function terminated(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      resolve(signal)
      process.once(signal, () => process.exit(exitCodes.failed))
    }
    process.once('SIGTERM', onSignal)
    process.once('SIGINT', onSignal)
    process.once('disconnect', () => resolve('SIGTERM'))
  })
}

/** Aborted by the first SIGTERM or SIGINT, for a command that has nothing to drain. */
export function interrupted(io: CommandIo): AbortSignal {
  const controller = new AbortController()
  void io.terminated().then((signal) => controller.abort(new Error(`ended by ${signal}`)))
  return controller.signal
}

const bugEvents = ['uncaughtException', 'unhandledRejection'] as const

/**
 * Until there is a log. What the runtime would print of an error are all its members too: of an
 * `AUTH` that was refused, the password.
 */
export function explainBugs(stderr: NodeJS.WritableStream): void {
  for (const event of bugEvents) {
    process.on(event, (error: unknown) => process.exit(explainFailure(error, stderr)))
  }
}

/** A bug leaves the process in a state nobody knows: say so and end; the supervisor starts anew. */
export function exitOnBug(log: Log): void {
  for (const event of bugEvents) process.removeAllListeners(event)
  const exit = (event: string) => (error: unknown) => {
    log.error(event, { error })
    log.flush()
    process.exit(exitCodes.failed)
  }
  process.on('uncaughtException', exit('process.uncaught_exception'))
  process.on('unhandledRejection', exit('process.unhandled_rejection'))
}

/** Nothing can be drained without Postgres: started anew, it logs in with what is in force by then. */
export function endLockedOut(log: Log): (error: unknown) => void {
  return (error) => {
    log.error('process.locked_out', { error })
    log.flush()
    process.exit(exitCodes.failed)
  }
}

/** What a person reads when a command cannot go on; returns the exit code. */
export function explainFailure(error: unknown, stderr: NodeJS.WritableStream): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) stderr.write(`${problem}\n`)
    return exitCodes.configuration
  }
  if (error instanceof PosternError) {
    const detail = error.detail ?? error.message
    stderr.write(`${error.code}: ${detail}\n`)
    return exitCodes.failed
  }
  stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return exitCodes.failed
}
