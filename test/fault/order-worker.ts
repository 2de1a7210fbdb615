// A worker of the real parts that kills itself where its seed says.
//
//   bun test/fault/order-worker.ts --seed 7 --life 3 [--orders 20 | --spared]
import { parseArgs } from 'node:util'
import { parseConfig } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { dispatcher } from '#core/job/dispatcher.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresOutcomeWriter } from '#core/job/outcome-writer.ts'
import { confirmAborted, isSettled, noteRunning } from '#core/job/run-store.ts'
import { openLog } from '#core/log.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { type IntentIntake, intentIntake } from '#core/order/desk/intent-intake.ts'
import { marketReader } from '#core/order/desk/market-snapshot.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { type ReconcileOptions, reconcileAccount as reconcile } from '#core/order/desk/reconcile.ts'
import { reportIntake } from '#core/order/desk/report-intake.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { applyMarketData } from '#workers/apply-market-data.ts'
import { reconcileAccount } from '#workers/reconcile-account.ts'
import { startWorkers } from '#workers/start-workers.ts'
import { type Foundation, openFoundation } from '../../commands/foundation.ts'
import { openServices, type Services } from '../../commands/open-services.ts'
import { exitOnBug, terminated } from '../../commands/process-life.ts'
import { hostileProcessor, hostileReports, hostileVenue } from './order-hostile-venue.ts'
import { killPlan, type Pass, spared, tell } from './order-kill-plan.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    life: { type: 'string', default: '0' },
    orders: { type: 'string', default: '20' },
    spared: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const life = Number(values.life)
const lossRate = 0.03
const duplicateRate = 0.1
const lateMsMax = 300
/** Half a cent a share, so that cash is never what a price alone makes it. */
const feePerShare = 5_000_000n

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
  const pass = values.spared ? spared : killPlan(seed, life, Number(values.orders))
  const desk = await openDesk(foundation, services, pass)
  await openJobs(foundation, services, { desk, pass })
  tell('ready')
  await terminated()
}

type OpenDesk = ReconcileOptions & {
  readonly intents: IntentIntake
  readonly desk: DeskConnection
  readonly market: ReturnType<typeof followMarket>
}

function openPaper(foundation: Foundation, readMarket: ReturnType<typeof marketReader>) {
  const sql = foundation.database('paper', 4)
  return foundation.stack.adopt(
    paperVenue({
      sql,
      grouped: foundation.database('paper-orders', 1),
      rules: { ...paperDefaults, feePerShare, feeBasisPoints: 1, seed },
      ...paperMarkets({ sql, readMarket }),
      faults: {
        seed: seed * 1_000_033 + life,
        loseAck: lossRate,
        loseSubmit: lossRate,
        duplicateReport: duplicateRate,
        delayMs: [0, lateMsMax],
      },
    }),
    (open) => open.idle(),
  )
}

async function openDesk(
  foundation: Foundation,
  { journal }: Services,
  pass: Pass,
): Promise<OpenDesk> {
  const { now, log, stack, queue, metrics } = foundation
  const sql = foundation.database('desk', 8)
  const dispatch = stack.adopt(dispatcher({ sql, queue, log, metrics }), (open) => open.close())
  const connection = { sql, journal, dispatch, now }
  const readMarket = marketReader(now)
  const paper = openPaper(foundation, readMarket)
  const venue = hostileVenue(paper, pass)
  const venues = new Map([[venue.name, venue]])
  const inner = stack.adopt(reportIntake(connection), (open) => open.idle())
  const reports = hostileReports(inner, pass)
  const options = { desk: connection, intents: intentIntake(connection), reports, venues }
  const stream = await venue.stream({
    onReport: (report) => reports.apply(report),
    onDisconnect: () => tell('disconnected'),
    onReconnect: () => void reconcileAll(options),
  })
  stack.defer(() => stream.close())
  await reconcileAll(options)
  const entry = { ...connection, readMarket }
  const keeper = startDeskKeeper({ entry, reconcile: options, paper, log })
  stack.defer(() => keeper.close())
  return { ...options, market: followMarket({ ...entry, paper }) }
}

async function reconcileAll(options: ReconcileOptions): Promise<void> {
  const { sql } = options.desk
  const accounts = await sql<{ id: string }[]>`select id from postern_account order by id`.catch(
    () => [],
  )
  const { signal } = new AbortController()
  for (const { id } of accounts) {
    await reconcile(options, { account: id, day: undefined, signal }).catch(() => {
      tell('not-reconciled')
    })
  }
}

async function openJobs(
  foundation: Foundation,
  { journal, registry, sweeper }: Services,
  { desk, pass }: { readonly desk: OpenDesk; readonly pass: Pass },
): Promise<void> {
  const { engine, log, metrics, now, stack } = foundation
  const sql = foundation.database('worker', 8)
  const open = () => foundation.database('signals', 1)
  const signals = await postgresJobSignals({ open, log, channels: ['cancel'] })
  stack.defer(() => signals.close())
  const workers = startWorkers({
    engine,
    processors: [
      hostileProcessor(advanceOrders(desk), pass),
      reconcileAccount(desk),
      applyMarketData({
        ...{ sql, journal, now, rules: mwcbRules },
        desk: desk.market,
        pairOf: () => undefined,
      }),
    ],
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
    onCanary: () => registry.sawCanary(now()),
    ...{ log, metrics, now },
  })
  stack.defer(() => workers.drain(5_000))
}
