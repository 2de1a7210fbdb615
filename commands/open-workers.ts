import type { Config } from '#core/config.ts'
import { findJob } from '#core/job/job-row.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresOutcomeWriter } from '#core/job/outcome-writer.ts'
import type { Processor } from '#core/job/processor.ts'
import { confirmAborted, isSettled, noteRunning, startedRecord } from '#core/job/run-store.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import { replayRules } from '#core/replay/replay-rules.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { advanceOrders } from '#workers/advance-orders.ts'
import { applyMarketData } from '#workers/apply-market-data.ts'
import { checkRotation } from '#workers/check-rotation.ts'
import { deliverWebhook } from '#workers/deliver-webhook.ts'
import { reconcileAccount } from '#workers/reconcile-account.ts'
import { scoreCohort } from '#workers/score-cohort.ts'
import { scoreWallet } from '#workers/score-wallet.ts'
import { simulateRegime } from '#workers/simulate-regime.ts'
import { startWorkers, type Workers } from '#workers/start-workers.ts'
import type { Foundation } from './foundation.ts'
import { openVenueDesk } from './open-desk.ts'
import type { Services } from './open-services.ts'

/** Connections for reading what jobs need and for outcomes with an effect. */
const workerConnections = 8

export async function openWorkers(foundation: Foundation, services: Services): Promise<Workers> {
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
  const workers = startWorkers({
    engine,
    processors: openProcessors(foundation, services, { sql, desk }),
    outcomes,
    isSettled: (jobId) => isSettled(sql, jobId),
    confirmAborted: (jobId) => confirmAborted(sql, jobId),
    noteRunning: async (notes) => {
      await noteRunning(sql, notes, worker)
      for (const note of notes) audit.note(startedRecord(note))
    },
    onCancel: (listener) => signals.listen('cancel', listener),
    onCanary: () => registry.sawCanary(now()),
    log,
    metrics,
    now,
  })
  stack.defer(() => workers.drain(drainMs(config)))
  return workers
}

/** The drain of workers comes first and leaves the rest of the stop a few seconds. */
function drainMs(config: Config): number {
  return Math.max(1, config.POSTERN_DRAIN_SECONDS - 3) * 1_000
}

function openProcessors(
  { config, secrets, now, log }: Foundation,
  { journal }: Services,
  {
    sql,
    desk,
  }: {
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
    deliverWebhook({
      findJob: (jobId) => findJob(sql, jobId, 'any'),
      signingKey: async () => {
        const key = config.POSTERN_WEBHOOK_KEY
        return key === undefined ? undefined : await resolveCredential(secrets, key)
      },
      now,
    }),
  ]
}
