import type { Sql } from 'postgres'
import type { AuditLog } from '#core/audit/audit-log.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { systemRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import { startJanitor } from '#core/job/janitor.ts'
import {
  type ProcessRegistry,
  type ProcessRole,
  startProcessRegistry,
} from '#core/job/process-registry.ts'
import { type Sweeper, startSweeper } from '#core/job/sweeper.ts'
import { pendingMigrations } from '#core/postgres/migrate.ts'
import { rethrowAsOutage } from '#core/postgres/outage.ts'
import type { Foundation } from './foundation.ts'
import { jobKinds, queueNames } from './job-kinds.ts'

/** What gateway and workers both run beside their own work. */
export type Services = {
  readonly audit: AuditLog
  readonly registry: ProcessRegistry
  readonly sweeper: Sweeper
}

/** Between two canary jobs. */
const canaryMs = 5_000

export async function openServices(
  foundation: Foundation,
  roles: readonly ProcessRole[],
): Promise<Services> {
  const { log, metrics, version, host, queue, now, stack } = foundation
  const sql = foundation.database('services', 3)
  const kinds = jobKinds
  await refusePendingSchema(foundation, sql)
  const registry = stack.adopt(
    await startProcessRegistry({ sql, log, roles, version, host }),
    (open) => open.close(),
  )
  const audit = postgresAuditLog({ sql: foundation.database('audit', 1), log, metrics })
  await audit.append(processRecord(foundation, registry, 'process.started'))
  stack.defer(async () => {
    await audit
      .append(processRecord(foundation, registry, 'process.stopped'))
      .catch((error: unknown) => log.warn('stop.unrecorded', { error }))
    await audit.flush()
  })
  const sweeper = stack.adopt(startSweeper({ sql, queue, kinds, log, metrics, now }), (open) =>
    open.close(),
  )
  stack.adopt(startJanitor({ sql, kinds, log }), (open) => open.close())
  stack.adopt(startCanary(foundation, registry), (timer) => clearInterval(timer))
  return { audit, registry, sweeper }
}

/** Half the tables would do until a request needs the others. */
async function refusePendingSchema({ config }: Foundation, sql: Sql): Promise<void> {
  const target = { sql, queue: config.POSTERN_QUEUE, queues: queueNames }
  const pending = await pendingMigrations(target).catch(rethrowAsOutage)
  if (pending.length === 0) return
  const detail = `The schema lacks ${pending.join(', ')}; run \`postern migrate\`.`
  throw new PosternError('database.schema_refused', { detail })
}

function processRecord(
  { now, version, host }: Foundation,
  registry: ProcessRegistry,
  type: 'process.started' | 'process.stopped',
) {
  const id = Bun.randomUUIDv7()
  const target = `process/${registry.id}`
  return systemRecord({ id, type, at: now(), target, outcome: 'ok', details: { host, version } })
}

/** Sends the job that proves that jobs come through, and keeps the metric of its age. */
function startCanary({ queue, metrics, log, now }: Foundation, registry: ProcessRegistry): Timer {
  const beat = () => {
    const at = registry.canaryAt()
    if (at !== undefined) metrics.canaryAgeSeconds.set((now().getTime() - at.getTime()) / 1_000)
    queue.ping().catch((error: unknown) => log.warn('canary.not_sent', { error }))
  }
  beat()
  return setInterval(beat, canaryMs)
}
