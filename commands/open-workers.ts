import type { Config } from '#core/config.ts'
import type { DriftLooks } from '#core/drift/check-drift.ts'
import { watchDrift } from '#core/drift/watch-drift.ts'
import { findJob } from '#core/job/job-row.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresOutcomeWriter } from '#core/job/outcome-writer.ts'
import type { Processor } from '#core/job/processor.ts'
import { confirmAborted, isSettled, noteRunning, startedRecord } from '#core/job/run-store.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import { accountIds } from '#core/order/desk/account-ids.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { applyMarketData } from '#workers/apply-market-data.ts'
import { checkDrift } from '#workers/check-drift.ts'
import { checkRotation } from '#workers/check-rotation.ts'
import { deliverWebhook } from '#workers/deliver-webhook.ts'
import { reconcileAccount } from '#workers/reconcile-account.ts'
import { reconcileAccounts } from '#workers/reconcile-accounts.ts'
import { scoreCohort } from '#workers/score-cohort.ts'
import { scoreWallet } from '#workers/score-wallet.ts'
import { simulateRegime } from '#workers/simulate-regime.ts'
import { startWorkers, type Workers } from '#workers/start-workers.ts'
import { type VerifiedLog, verifyAudit } from '#workers/verify-audit.ts'
import type { CommandIo } from './command-io.ts'
import type { Foundation } from './foundation.ts'
import { openVenueDesk } from './open-desk.ts'
import { openDriftLooks } from './open-drift.ts'
import { openSchedules } from './open-schedules.ts'
import type { Services } from './open-services.ts'

/** Connections for reading what jobs need and for outcomes with an effect. */
const workerConnections = 8

export type WorkerParts = {
  readonly published: VerifiedLog | undefined
  /** Of which a Terraform gets what it needs. */
  readonly environment: CommandIo['environment']
}

export async function openWorkers(
  foundation: Foundation,
  services: Services,
  { published, environment }: WorkerParts,
): Promise<Workers> {
  const { config, engine, log, metrics, now, stack } = foundation
  const { audit, journal, registry, sweeper } = services
  const sql = foundation.database('worker', workerConnections, { prefersIndexes: true })
  const desk = await openVenueDesk(foundation, services)
  const signals = stack.adopt(
    await postgresJobSignals({
      open: () => foundation.database('signals', 1),
      log,
      channels: ['cancel'],
    }),
    (open) => open.close(),
  )
  const worker = registry.id
  const outcomes = postgresOutcomeWriter({
    grouped: foundation.database('outcomes', 1, { prefersIndexes: true }),
    sql,
    worker,
    journal,
    onWebhook: () => sweeper.nudge(),
  })
  const looks = await openDriftLooks({
    ...{ config, environment, sql, now, isLogPublished: published !== undefined },
    redis: () => (engine.backend === 'redis' ? engine.producer : undefined),
  })
  const workers = startWorkers({
    engine,
    processors: openProcessors(foundation, services, { sql, desk, looks, published }),
    outcomes,
    isSettled: (jobId) => isSettled(sql, jobId),
    confirmAborted: (jobId) => confirmAborted(sql, jobId),
    noteRunning: async (notes) => {
      await noteRunning(sql, notes, worker)
      for (const note of notes) audit.note(startedRecord(note))
    },
    onCancel: (listener) => signals.listen('cancel', listener),
    onCanary: () => registry.sawCanary(),
    log,
    metrics,
    now,
  })
  stack.defer(() => workers.drain(drainMs(config)))
  stack.adopt(
    watchDrift({
      ...{ sql: foundation.database('drift', 1), metrics, log },
      expected: config.POSTERN_DRIFT_PLAN === undefined ? ['runtime'] : ['runtime', 'plan'],
    }),
    (open) => open.close(),
  )
  await openSchedules(foundation, services, { isLogPublished: published !== undefined })
  return workers
}

/** The drain of workers comes first and leaves the rest of the stop a few seconds. */
function drainMs(config: Config): number {
  return Math.max(1, config.POSTERN_DRAIN_SECONDS - 3) * 1_000
}

function openProcessors(
  { config, webhookKeys, now, log }: Foundation,
  { journal }: Services,
  {
    sql,
    desk,
    looks,
    published,
  }: Pick<WorkerParts, 'published'> & {
    readonly looks: DriftLooks
    readonly sql: ReturnType<Foundation['database']>
    readonly desk: Awaited<ReturnType<typeof openVenueDesk>>
  },
): readonly Processor[] {
  return [
    scoreWallet({ sql, journal, now }),
    scoreCohort({ sql, journal, now, log }),
    advanceOrders({
      desk: desk.connection,
      intents: desk.intents,
      reports: desk.reports,
      venues: desk.venues,
    }),
    reconcileAccount({ ...desk.reconcile }),
    reconcileAccounts({ accounts: () => accountIds(sql), now }),
    verifyAudit({ published, log }),
    applyMarketData({
      ...{ sql, journal, now },
      desk: desk.market,
      rules: mwcbRules,
      pairOf: () => undefined,
    }),
    simulateRegime({ rulesOf: replayRules }),
    checkRotation({
      ...{ sql, journal, now },
      rotations: postgresRotationJournal({ sql, journal, now }),
    }),
    checkDrift({ sql, looks, now, callbackUrl: config.POSTERN_DRIFT_CALLBACK }),
    deliverWebhook({
      findJob: (jobId) => findJob(sql, jobId, 'any'),
      signingKeys: webhookKeys,
      now,
    }),
  ]
}
