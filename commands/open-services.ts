import canonicalize from 'canonicalize'
import type { Sql } from 'postgres'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditJournal } from '#core/audit/journal.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import type { Config } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { type Look, lookAtLast } from '#core/incident/looks.ts'
import { startJanitor } from '#core/job/janitor.ts'
import {
  type ProcessRegistry,
  type ProcessRole,
  startProcessRegistry,
} from '#core/job/process-registry.ts'
import { type Sweeper, startSweeper } from '#core/job/sweeper.ts'
import { pendingMigrations } from '#core/postgres/migrate.ts'
import { rethrowAsOutage } from '#core/postgres/outage.ts'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import { followLogins } from './follow-logins.ts'
import type { Foundation } from './foundation.ts'
import { jobKinds, queueNames } from './job-kinds.ts'

/** What gateway and workers both run beside their own work. */
export type Services = {
  readonly audit: AuditLog
  readonly journal: AuditJournal
  readonly registry: ProcessRegistry
  readonly sweeper: Sweeper
  /** Whether the engine took the newest canary. */
  readonly queueLook: Look
}

/** Between two canary jobs. */
const canaryMs = 2_000

export async function openServices(
  foundation: Foundation,
  roles: readonly ProcessRole[],
  /** Secrets that are followed beside the logins. */
  uses: readonly SecretUse[] = [],
): Promise<Services> {
  const { config, log, metrics, version, host, queue, now, stack } = foundation
  const { recordSecrets, logins } = foundation
  const sql = foundation.database('services', 3)
  const kinds = jobKinds
  await refusePendingSchema(foundation, sql)
  const registry = stack.adopt(
    await startProcessRegistry({
      ...{ sql, log, roles, version, host },
      imageDigest: config.POSTERN_IMAGE_DIGEST,
    }),
    (open) => open.close(),
  )
  const sqlAudit = foundation.database('audit', 1)
  const journal = await startJournal(sqlAudit, {
    replica: `${roles.join('+')}@${host}`,
    at: now(),
    details: { version, process: registry.id, configuration: fingerprint(config) },
  })
  const audit = stack.adopt(
    postgresAuditLog({ sql: sqlAudit, journal, log, metrics, now }),
    (open) => open.close(),
  )
  await recordSecrets(audit, now)
  await followLogins({
    ...{ journal, log, now, stack, process: registry.id },
    logins: logins && { ...logins, uses: [...logins.uses, ...uses] },
    usedBy: `${roles.join('+')}@${host}`,
    sql: foundation.database('secrets', 2),
  })
  const sweeper = stack.adopt(
    startSweeper({ sql, journal, queue, kinds, log, metrics, now }),
    (open) => open.close(),
  )
  stack.adopt(startJanitor({ sql, kinds, log }), (open) => open.close())
  const { look: queueLook, note } = lookAtLast()
  stack.adopt(startCanary(foundation, registry, note), (timer) => clearInterval(timer))
  return { audit, journal, registry, sweeper, queueLook }
}

/** Half the tables would do until a request needs the others. */
async function refusePendingSchema({ config }: Foundation, sql: Sql): Promise<void> {
  const target = { sql, queue: config.POSTERN_QUEUE, queues: queueNames }
  const pending = await pendingMigrations(target).catch(rethrowAsOutage)
  if (pending.length === 0) return
  const detail = `The schema lacks ${pending.join(', ')}; run \`postern migrate\`.`
  throw new PosternError('database.schema_refused', { detail })
}

/**
 * SHA-256 of the settings, lower-case hex: two starts with the same have the same. Credentials are
 * references in production, so no secret is behind it.
 */
function fingerprint(config: Config): string {
  return new Bun.CryptoHasher('sha256').update(canonicalize(config) ?? '').digest('hex')
}

/** Sends the job that proves that jobs come through, and keeps the metric of its age. */
function startCanary(
  { queue, metrics, log }: Foundation,
  registry: ProcessRegistry,
  note: ReturnType<typeof lookAtLast>['note'],
): Timer {
  const beat = () => {
    const ageMs = registry.canaryAgeMs()
    if (ageMs !== undefined) metrics.canaryAgeSeconds.set(ageMs / 1_000)
    const askedMs = performance.now()
    queue.ping().then(
      () => note(askedMs, undefined),
      (error: unknown) => {
        note(askedMs, 'the engine takes no job')
        log.warn('canary.not_sent', { error })
      },
    )
  }
  beat()
  return setInterval(beat, canaryMs)
}
