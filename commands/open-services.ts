import type { AuditLog } from '#core/audit/audit-log.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { systemRecord } from '#core/audit/record.ts'
import { startJanitor } from '#core/job/janitor.ts'
import {
  type ProcessRegistry,
  type ProcessRole,
  startProcessRegistry,
} from '#core/job/process-registry.ts'
import { type Sweeper, startSweeper } from '#core/job/sweeper.ts'
import type { Foundation } from './foundation.ts'
import { jobKinds } from './job-kinds.ts'

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
