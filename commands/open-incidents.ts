import { remoteKeySetTimes } from '#core/access/key-set.ts'
import type { OpenAccessControl } from '#core/access/open-access-control.ts'
import { failing, good, type IncidentClass } from '#core/incident/incident.ts'
import {
  type AnswerOutcome,
  type Look,
  lookAtAnswers,
  lookAtBreakers,
  lookAtCanary,
  lookAtHeartbeats,
  lookAtKeys,
  lookAtLog,
  lookAtPublished,
  lookAtReads,
} from '#core/incident/looks.ts'
import { postgresIncidents } from '#core/incident/postgres-incidents.ts'
import { gatewayHeartbeats, logSigns, oldestUnpublished } from '#core/incident/postgres-looks.ts'
import { watchIncidents } from '#core/incident/watch-incidents.ts'
import type { Metrics } from '#core/metrics.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './open-services.ts'
import { databaseCheck } from './readiness.ts'

/** One for looks, one for what is told. */
const connections = 2

type Looks = Readonly<Partial<Record<IncidentClass, Look>>>

/**
 * Watches whether the service can serve. To be opened last: it is closed first, so that what is
 * stopped in order is no incident. Without `access` there is no gateway in this process.
 */
export function openIncidents(
  foundation: Foundation,
  services: Services,
  options: { readonly access?: OpenAccessControl; readonly hasWorkers: boolean },
): void {
  const { metrics, log, now, queue, stack } = foundation
  const sql = foundation.database('incidents', connections)
  const { journal, registry, queueLook } = services
  const { access, hasWorkers } = options
  const looks: Looks = {
    process: () => good,
    database: async () => {
      const { ok, detail = 'unavailable' } = await databaseCheck(sql)
      return ok ? good : failing(detail)
    },
    queue: queueLook,
    workers: lookAtCanary(registry.canaryAgeMs),
    'secret-store': lookAtReads(() => readsOfStore(metrics)),
    ...(hasWorkers
      ? {
          venue: lookAtBreakers(() => sumOf(metrics.venueBreakerOpen)),
          gateway: lookAtHeartbeats(() => gatewayHeartbeats(sql)),
        }
      : {}),
    ...(access === undefined
      ? {}
      : {
          issuer: lookAtKeys(() => access.fetchedKeys(), keyTimes),
          sequencer: lookAtLog(() => logSigns(sql)),
          'tile-store': lookAtPublished(() => oldestUnpublished(sql)),
          gateway: lookAtAnswers(() => answers(metrics)),
        }),
  }
  stack.adopt(
    watchIncidents({
      ...{ store: postgresIncidents({ sql, journal, now }), looks, metrics, log },
      backend: queue.backend,
    }),
    (open) => open.close(),
  )
}

const keyTimes = {
  dueMs: remoteKeySetTimes.refreshMs,
  graceMs: 3 * remoteKeySetTimes.cooldownMs,
}

async function answers({ answers: counter }: Metrics) {
  const { values } = await counter.get()
  const of = (outcome: AnswerOutcome) =>
    values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0
  return { given: of('given'), overloaded: of('overloaded'), failed: of('failed') }
}

type Summed = {
  get(): Promise<{ readonly values: readonly { readonly value: number }[] }>
}

async function readsOfStore({ secretsAccessed, secretStoreFailures }: Metrics) {
  const [all, failed] = await Promise.all([sumOf(secretsAccessed), sumOf(secretStoreFailures)])
  return { all, failed }
}

async function sumOf(metric: Summed): Promise<number> {
  const { values } = await metric.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}
