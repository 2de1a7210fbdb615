import type { Sql } from 'postgres'
import { tokenMint } from '#core/access/mint-token.ts'
import type { OpenAccessControl } from '#core/access/open-access-control.ts'
import { postgresAuditReader } from '#core/audit/read/postgres-audit-reader.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { driftReads } from '#core/drift/postgres-drift.ts'
import { incidentReads } from '#core/incident/incident-reads.ts'
import { boundedIntake, watchBacklog } from '#core/job/backlog.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { postgresIntake } from '#core/job/postgres-intake.ts'
import { postgresJobStore } from '#core/job/postgres-job-store.ts'
import { postgresQueueControl } from '#core/job/postgres-queue-control.ts'
import { postgresMarketIngest } from '#core/market/postgres-market-ingest.ts'
import { postgresMarketReader } from '#core/market/postgres-market-reader.ts'
import { postgresMarketSettings } from '#core/market/postgres-market-settings.ts'
import {
  postgresRevocations,
  type RevocationOptions,
} from '#core/revocation/postgres-revocations.ts'
import { postgresScheduleStore } from '#core/schedule/postgres-schedule-store.ts'
import { databaseClock } from '#core/schedule/schedule-rows.ts'
import { postgresScoreStore } from '#core/score/postgres-score-store.ts'
import { postgresTradeStore } from '#core/score/postgres-trade-store.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { secretReads } from '#core/secret/rotation/secret-reads.ts'
import { createGateway, type GatewayDependencies } from '#gateway/app.ts'
import type { Route } from '#gateway/route.ts'
import { auditRoutes } from '#gateway/routes/audit.ts'
import { consoleRoutes } from '#gateway/routes/console.ts'
import { driftRoutes } from '#gateway/routes/drift.ts'
import { incidentRoutes } from '#gateway/routes/incidents.ts'
import { instrumentRoutes } from '#gateway/routes/instruments.ts'
import { marketDataRoutes } from '#gateway/routes/market-data.ts'
import { reportRoutes } from '#gateway/routes/reports.ts'
import { revocationRoutes } from '#gateway/routes/revocations.ts'
import { scheduleRoutes } from '#gateway/routes/schedules.ts'
import { scoreRoutes } from '#gateway/routes/scores.ts'
import { secretRoutes } from '#gateway/routes/secrets.ts'
import { signalRoutes } from '#gateway/routes/signals.ts'
import { tokenRoutes } from '#gateway/routes/tokens.ts'
import { tradeRoutes } from '#gateway/routes/trades.ts'
import { deskRoutes, deskWaitingRoutes } from './desk-routes.ts'
import type { Foundation } from './foundation.ts'
import { jobKinds } from './job-kinds.ts'
import { openOrderDesk } from './open-desk.ts'
import type { Services } from './open-services.ts'
import { gatewayReadiness } from './readiness.ts'

/** Connections for reads; accepting has one of its own, on which batches are pipelined. */
const readConnections = 8

type Serving = Pick<GatewayDependencies, 'readMetrics'> & {
  readonly published: TileSource | undefined
}

export async function openGateway(
  foundation: Foundation,
  services: Services,
  access: OpenAccessControl,
  { published, readMetrics }: Serving,
) {
  const { queue, log, metrics, tracing, now, stack } = foundation
  const { audit, journal, registry, sweeper } = services
  const sql = foundation.database('gateway', readConnections)
  const signals = stack.adopt(
    await postgresJobSignals({
      open: () => foundation.database('signals', 1),
      log,
      channels: ['finished', 'aborted'],
    }),
    (open) => open.close(),
  )
  const backlog = stack.adopt(watchBacklog({ sql, log }), (open) => open.close())
  const piped = foundation.database('intake', 1)
  const intake = stack.adopt(
    boundedIntake(postgresIntake({ ...foundation, sql: piped, journal }), backlog),
    (open) => open.close(),
  )
  const kinds = jobKinds
  const onOutbox = () => sweeper.nudge()
  const stores = { sql, journal, queue, kinds, signals, onOutbox, now }
  const jobs = postgresJobStore(stores)
  const reader = postgresAuditReader({ sql, published })
  const market = postgresMarketReader({ sql })
  const desk = openOrderDesk(foundation, services)
  const liveGateways = () => registry.live('gateway')
  return createGateway({
    access,
    kinds: [...kinds.values()],
    intake,
    jobs,
    queues: postgresQueueControl(stores),
    routes: [
      ...tradeRoutes({ trades: postgresTradeStore({ sql, journal, now }), now }),
      ...scoreRoutes({ scores: postgresScoreStore({ sql }) }),
      ...deskRoutes(desk, { sql, journal, liveGateways, now }),
      ...marketDataRoutes({
        ingest: postgresMarketIngest({ sql, journal, now, onOutbox }),
        reader: market,
        now,
      }),
      ...signalRoutes({ reader: market }),
      ...instrumentRoutes({ settings: postgresMarketSettings({ sql, journal, now }) }),
      ...reportRoutes({ jobs }),
      ...credentialRoutes({ sql, journal, now }),
      ...scheduleRoutes({
        schedules: postgresScheduleStore({
          ...{ sql, journal, kinds, clock: databaseClock },
          dispatch: desk.connection.dispatch,
        }),
        kinds,
      }),
      ...tokenRoutes({
        tokens: tokenMint({ issuer: access.localIssuer, rules: access.localRules, audit, now }),
      }),
      ...auditRoutes({ reader, audit, jobs, now }),
      ...findingRoutes(sql),
      ...consoleRoutes(),
    ],
    waitingRoutes: (waits, closing) =>
      deskWaitingRoutes(desk, { sql, access, intake, waits, closing }),
    audit,
    ...{ metrics, readMetrics, tracing, log, now },
    liveGateways,
    readiness: gatewayReadiness({ sql, access, registry }),
  })
}

/** What the service has found about itself. */
function findingRoutes(sql: Sql): readonly Route[] {
  return [
    ...driftRoutes({ drift: driftReads(sql) }),
    ...incidentRoutes({ incidents: incidentReads(sql) }),
  ]
}

function credentialRoutes(stores: RevocationOptions): readonly Route[] {
  const revocations = postgresRevocations(stores)
  const rotations = postgresRotationJournal(stores)
  return [
    ...secretRoutes({ secrets: secretReads(stores.sql), rotations, revocations }),
    ...revocationRoutes({ revocations, now: stores.now }),
  ]
}
