import type { NoteSigner } from '#core/audit/note/signer.ts'
import { inspectHead, type Witnessing } from '#core/audit/sequence/inspect-head.ts'
import type { LogDatabase } from '#core/audit/sequence/log-database.ts'
import { createPublisher } from '#core/audit/sequence/publisher.ts'
import { recentEntries } from '#core/audit/sequence/recent-entries.ts'
import { runSequencer } from '#core/audit/sequence/run-sequencer.ts'
import { createSequencer } from '#core/audit/sequence/sequencer.ts'
import { type Log, silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import type { SimulatedWorld } from './simulated-world.ts'

/** What becomes of one call of a port. */
export type Fate =
  | 'done'
  | 'failed'
  | 'failed, but done'
  | 'failed, done later'
  | 'killed before'
  | 'killed after'

/** One call of a port, waiting for its turn. */
export type Call = { readonly process: string; readonly name: string }

/** Decides when a call goes on and what becomes of it. */
export type Scheduler = {
  call(call: Call): Promise<Fate>
  sleep(process: string, ms: number, signal: AbortSignal): Promise<void>
}

export const origin = 'postern.example.com/audit'

/** Appends of one process are done in the order of the calls, whatever becomes of each. */
function inOrder(database: LogDatabase): LogDatabase {
  let before: Promise<unknown> = Promise.resolve()
  return {
    ...database,
    append(growth) {
      const appended = before.then(() => database.append(growth))
      before = appended.catch(() => undefined)
      return appended
    },
  }
}

class PlannedFault extends Error {}

/** A process that was killed goes on nowhere: its calls never return. */
const never = new Promise<never>(() => undefined)

/** A sequencer process as the product runs it, on ports that the scheduler holds in its hands. */
export function simulatedProcess(options: {
  readonly world: SimulatedWorld
  readonly process: string
  readonly signers: readonly NoteSigner[]
  readonly scheduler: Scheduler
  /** Events that an operator would be woken for. */
  readonly alarms: string[]
  readonly witnessing?: Witnessing | undefined
}) {
  const { world, process, signers, scheduler, alarms, witnessing } = options
  const killed = Promise.withResolvers<'killed'>()
  let isKilled = false
  const die = () => {
    isKilled = true
    killed.resolve('killed')
    return never
  }

  /** Does one call as the scheduler wills. */
  async function perform(name: string, run: () => unknown): Promise<unknown> {
    const fate = isKilled ? 'killed before' : await scheduler.call({ process, name })
    switch (isKilled ? 'killed before' : fate) {
      case 'killed before':
        return await die()
      case 'failed, done later':
        void scheduler.call({ process, name: 'late' }).then(run)
        throw new PlannedFault(name)
      case 'failed':
        throw new PlannedFault(name)
      case 'done':
        return await run()
      case 'failed, but done':
        await run()
        throw new PlannedFault(name)
      case 'killed after':
        await run()
        return await die()
    }
  }

  function held<Port extends object>(port: Port, portName: string): Port {
    return new Proxy(port, {
      get(target, method, receiver) {
        const run: unknown = Reflect.get(target, method, receiver)
        if (typeof run !== 'function') return run
        const name = `${portName}.${String(method)}`
        return (...args: unknown[]) => perform(name, () => Reflect.apply(run, target, args))
      },
    })
  }

  const database = inOrder(held(world.database, 'database'))
  const store = held(world.store, 'store')
  const log: Log = {
    ...silentLog(),
    error: (event, fields) => {
      const error = fields?.['error']
      // The runner's own faults are no alarms.
      if (error instanceof PlannedFault) return
      alarms.push(`${process} ${event} ${String(fields?.['reason'] ?? error ?? '')}`)
    },
  }
  const metrics = createMetrics()
  const keys = () => signers.map((signer) => signer.key)
  const nowMs = () => world.clock.nowMs
  const inspection = { database, store, origin, keys, witnessing, log }
  const sequencer = createSequencer({
    ...{ database, owner: process, origin, signers: () => signers, log, metrics, nowMs },
    inspect: (head) => inspectHead(head, inspection),
  })
  const recent = recentEntries()
  const publisher = createPublisher({
    ...{ database, store, origin, keys, witnessing, recent, log },
  })
  const stop = new AbortController()
  const sleep = (ms: number, signal: AbortSignal) => scheduler.sleep(process, ms, signal)
  const run = runSequencer(
    { sequencer, publisher, database, recent, publishMs: 200, log, metrics, nowMs, sleep },
    stop.signal,
  )
  return {
    process,
    stop: () => stop.abort(),
    /** Resolves once nothing of the process is left. */
    ended: Promise.race([run.then(() => 'stopped' as const), killed.promise]),
  }
}
