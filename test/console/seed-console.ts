import { join } from 'node:path'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { queueNames } from '../../commands/job-kinds.ts'

/** What a page that reads text as markup would run. */
export const hostileText = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`

const hourMs = 3_600_000

/** States that a laptop does not come into by itself, written before the gateway starts on them. */
export async function seedConsole(data: string, now: Date): Promise<void> {
  const engine = await openEmbeddedEngine({ directory: join(data, 'postgres') })
  try {
    const sql = connectPostgres({
      ...{ url: engine.url, mode: 'development', applicationName: 'seed', max: 1 },
    })
    await migrate({ sql, queue: 'postgres', queues: queueNames })
    await seedJobs(sql, now)
    await seedSecrets(sql, now)
    await seedDrift(sql, now)
    await seedIncidents(sql, now)
    await sql.end({ timeout: 1 })
  } finally {
    await engine.close()
  }
}

const problem = (title: string, detail: string) => ({
  ...{ type: '/problems/database.unavailable', status: 503, title, detail },
})

async function seedJobs(sql: Sql, now: Date): Promise<void> {
  const job = (of: {
    readonly kind: string
    readonly state: 'completed' | 'failed' | 'cancelled'
    readonly subject: string
    readonly tag?: string
    readonly agoMs: number
    readonly ranMs: number
    readonly result?: Record<string, string>
    readonly problem?: ReturnType<typeof problem>
  }) => {
    const acceptedAt = new Date(now.getTime() - of.agoMs)
    const startedAt = new Date(acceptedAt.getTime() + 40)
    const finishedAt = new Date(startedAt.getTime() + of.ranMs)
    return sql`
      insert into postern_job (id, kind, state, issuer, subject, tag, payload, priority,
        attempts_max, timeout_ms, request_id, accepted_at, started_at, finished_at, fence, result,
        problem)
      values (${Bun.randomUUIDv7('hex', acceptedAt)}, ${of.kind}, ${of.state},
        'postern-development', ${of.subject}, ${of.tag ?? null}, '{}', 10, 5, 60000,
        ${Bun.randomUUIDv7('hex', acceptedAt)}, ${acceptedAt}, ${startedAt}, ${finishedAt}, 1001,
        ${of.result === undefined ? null : sql.json(of.result)},
        ${of.problem === undefined ? null : sql.json(of.problem)})`
  }
  await job({
    ...{ kind: 'score-wallet', state: 'completed', subject: hostileText, tag: hostileText },
    ...{ agoMs: 50 * hourMs, ranMs: 80, result: { note: hostileText } },
  })
  const away = problem('Database unavailable', 'Postgres gave no answer for 5 s.')
  const hostile = problem('Database unavailable', hostileText)
  await job({
    ...{ kind: 'score-wallet', state: 'failed', subject: 'pricing-service', tag: 'nightly' },
    ...{ agoMs: 3 * hourMs, ranMs: 5_020, problem: hostile },
  })
  for (const [at, subject] of ['pricing-service', 'risk-desk', 'pricing-service'].entries()) {
    await job({
      ...{ kind: 'score-wallet', state: 'failed', subject, tag: `batch/${at}`, problem: away },
      ...{ agoMs: (at + 1) * 11 * 60_000, ranMs: 5_000 + at },
    })
  }
  await job({
    ...{ kind: 'simulate-regime', state: 'cancelled', subject: 'quant-lab', tag: 'flash-crash' },
    ...{ agoMs: 26 * 60_000, ranMs: 2_300, problem: problem('Cancelled', 'By its caller.') },
  })
  await job({
    ...{ kind: 'score-wallet', state: 'cancelled', subject: 'risk-desk', tag: 'superseded' },
    ...{ agoMs: 9 * 60_000, ranMs: 300, problem: problem('Cancelled', 'By its caller.') },
  })
}

async function seedSecrets(sql: Sql, now: Date): Promise<void> {
  const day = 24 * hourMs
  const rows = [
    { name: 'postern/database', kind: 'postgres-role', dueMs: 41 * day },
    { name: 'postern/redis', kind: 'redis-user', dueMs: -2 * day },
    { name: 'postern/webhook', kind: 'webhook-key', dueMs: 12 * day },
    { name: 'postern/venue', kind: null, dueMs: 76 * day },
  ]
  for (const { name, kind, dueMs } of rows) {
    await sql`
      insert into postern_secret (name, kind, current_version, fingerprint, due_at, rotated_at)
      values (${name}, ${kind}, ${Bun.randomUUIDv7('hex', now)}, '\\x00',
        ${new Date(now.getTime() + dueMs)}, ${new Date(now.getTime() + dueMs - 90 * day)})`
  }
}

async function seedDrift(sql: Sql, now: Date): Promise<void> {
  const findings = [
    {
      ...{ source: 'plan', address: 'aws_security_group_rule.internal', attribute: 'cidr_blocks' },
      ...{ kind: 'drift', severity: 'critical', summary: 'opened to 0.0.0.0/0 outside Terraform' },
    },
    {
      ...{ source: 'plan', address: 'aws_elasticache_replication_group.jobs', attribute: '' },
      ...{ kind: 'change', severity: 'medium', summary: 'configured and not applied' },
    },
    {
      ...{ source: 'runtime', address: 'process/gateway', attribute: 'access_in_force' },
      ...{ kind: 'differs', severity: 'low', summary: 'two gateways, two access files' },
    },
  ]
  for (const [at, finding] of findings.entries()) {
    const seen = new Date(now.getTime() - (3 - at) * 7 * hourMs)
    const fingerprint = new Bun.CryptoHasher('sha256').update(finding.address).digest('hex')
    await sql`
      insert into postern_drift_finding ${sql({
        ...finding,
        ...{ fingerprint, id: Bun.randomUUIDv7('hex', seen) },
        ...{ first_seen_at: seen, last_seen_at: new Date(now.getTime() - hourMs) },
      })}`
  }
}

async function seedIncidents(sql: Sql, now: Date): Promise<void> {
  const rows = [
    { class: 'database', reason: 'no answer in time', minutesAgo: 5_220, seconds: 41 },
    { class: 'queue', reason: 'no connection', minutesAgo: 660, seconds: 19 },
    { class: 'queue', reason: 'no connection', minutesAgo: 47, seconds: 12 },
  ]
  for (const { minutesAgo, seconds, ...incident } of rows) {
    const startedAt = new Date(now.getTime() - minutesAgo * 60_000)
    const recoveredAt = new Date(startedAt.getTime() + seconds * 1_000)
    await sql`
      insert into postern_incident ${sql({
        ...incident,
        ...{ id: Bun.randomUUIDv7('hex', recoveredAt), started_at: startedAt },
        ...{ failing_at: recoveredAt, good_at: recoveredAt, recovered_at: recoveredAt },
      })}`
  }
}
