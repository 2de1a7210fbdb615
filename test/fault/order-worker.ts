// A worker of the real parts that kills itself where its seed says.
//
//   bun test/fault/order-worker.ts --seed 7 --life 3 --part orders [--orders 20 | --spared]
import { parseArgs } from 'node:util'
import { parseConfig } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresOutcomeWriter } from '#core/job/outcome-writer.ts'
import type { Processor } from '#core/job/processor.ts'
import { confirmAborted, isSettled, noteRunning } from '#core/job/run-store.ts'
import { openLog } from '#core/log.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { applyMarketData } from '#workers/apply-market-data.ts'
import { reconcileAccount } from '#workers/reconcile-account.ts'
import { startWorkers } from '#workers/start-workers.ts'
import { type Foundation, openFoundation } from '../../commands/foundation.ts'
import { openServices, type Services } from '../../commands/open-services.ts'
import { exitOnBug, terminated } from '../../commands/process-life.ts'
import { hostileProcessor } from './order-hostile-venue.ts'
import { dieWithin, killPlan, type Pass, spared, tell } from './order-kill-plan.ts'
import { openWorkerDesk, type WorkerDesk } from './order-worker-desk.ts'

/** Longer lives than those of the orders' workers: a bar waits 15 s for a dead worker's lease. */
const marketLifeMsMax = 60_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    life: { type: 'string', default: '0' },
    part: { type: 'string', default: 'all' },
    orders: { type: 'string', default: '20' },
    spared: { type: 'boolean', default: false },
  },
})
const { part } = values
const seed = Number(values.seed)
const life = Number(values.life)

await main().catch((error: unknown) => {
  // Postgres was away while this life began.
  if (!(error instanceof PosternError)) throw error
  tell(`not-started ${error.code}`)
  process.exit(1)
})

async function main(): Promise<void> {
  const config = parseConfig(process.env)
  const log = openLog({ level: 'warn', sync: true })
  exitOnBug(log)
  await using stack = new AsyncDisposableStack()
  const start = { config, log, version: 'fault' }
  const foundation = await openFoundation({ ...start, role: 'postern_worker', stack })
  const services = await openServices(foundation, ['worker'])
  const pass = fated()
  const desk = openWorkerDesk(foundation, services, { seed, life, pass })
  if (part !== 'market') await desk.listen()
  await openJobs(foundation, services, processorsOf(foundation, services, { desk, pass }))
  await terminated()
}

function fated(): Pass {
  if (values.spared) return spared
  if (part === 'orders') return killPlan(seed, life, Number(values.orders))
  dieWithin(marketLifeMsMax, seed, life)
  return spared
}

function processorsOf(
  foundation: Foundation,
  { journal }: Services,
  { desk, pass }: { readonly desk: WorkerDesk; readonly pass: Pass },
): readonly Processor[] {
  const sql = foundation.database('market', 4)
  const orders = [hostileProcessor(advanceOrders(desk), pass), reconcileAccount(desk)]
  const market = applyMarketData({
    ...{ sql, journal, now: foundation.now, rules: mwcbRules },
    desk: desk.market,
    pairOf: () => undefined,
  })
  return [...(part === 'market' ? [] : orders), ...(part === 'orders' ? [] : [market])]
}

async function openJobs(
  foundation: Foundation,
  { journal, registry, sweeper }: Services,
  processors: readonly Processor[],
): Promise<void> {
  const { engine, log, metrics, now, stack } = foundation
  const sql = foundation.database('worker', 8)
  const open = () => foundation.database('signals', 1)
  const signals = await postgresJobSignals({ open, log, channels: ['cancel'] })
  stack.defer(() => signals.close())
  const workers = startWorkers({
    engine,
    processors,
    outcomes: postgresOutcomeWriter({
      grouped: foundation.database('outcomes', 1),
      ...{ sql, journal },
      worker: registry.id,
      onWebhook: () => sweeper.nudge(),
    }),
    isSettled: (jobId) => isSettled(sql, jobId),
    confirmAborted: (jobId) => confirmAborted(sql, jobId),
    noteRunning: (notes) => noteRunning(sql, notes, registry.id),
    onCancel: (listener) => signals.listen('cancel', listener),
    onCanary: () => registry.sawCanary(),
    ...{ log, metrics, now },
  })
  stack.defer(() => workers.drain(5_000))
}
