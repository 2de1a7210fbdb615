import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { z } from 'zod'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { type AuditType, callerRecord, encodeAuditRecord } from '#core/audit/record.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { collectorEnvironment } from '../../commands/collector.ts'
import { openSequencer, sequencerConnections } from '../../commands/open-sequencer.ts'
import { type Figure, note, printFigures } from './figures.ts'
import { startProcess } from './side-process.ts'

/**
 * Records a second from a backlog in Postgres to a signed checkpoint that is published with all its
 * tiles and bundles in a directory; Postgres with fsync on the same cores.
 *
 *   bun test/bench/audit-sequence.ts [--json]
 */
const records = 200_000
const insertedAtOnce = 5_000
const required = { valueMin: 50_000 }
const origin = 'bench.example.com/audit'

/** What a job leaves behind, with the subjects of a busy platform. */
const mix: readonly AuditType[] = ['job.accepted', 'job.started', 'job.completed', 'access.read']
const subjects = 50

/** In a process that is started as `run` starts the sequencer. */
export async function sequenceFigures(): Promise<Figure[]> {
  const side = startProcess([process.execPath, import.meta.path, 'measure'], {
    environment: collectorEnvironment,
    collect: true,
  })
  const { committed, published } = seconds.parse(await side.answer())
  const figure = (name: string, took: number): Figure => ({
    ...{ name, unit: 'records/s', ours: records / took, baseline: undefined, required },
  })
  return [
    figure('audit records signed and committed, from a backlog', committed),
    figure('the same until they are published', published),
  ]
}

const seconds = z.object({ committed: z.number(), published: z.number() })

async function measure(): Promise<z.infer<typeof seconds>> {
  await using stack = new AsyncDisposableStack()
  const server = await startPostgres()
  stack.defer(() => server.stop('immediate'))
  const owner = stack.adopt(postgres(server.url, { max: 1, onnotice: () => undefined }), (open) =>
    open.end({ timeout: 1 }),
  )
  await migrate({ sql: owner, queue: 'redis', queues: [] })
  const bytes = await fillIntake(owner)
  note(`sequence, ${records} records of ${Math.round(bytes / records)} bytes`)
  const directory = await mkdtemp(join(tmpdir(), 'postern-bench-log-'))
  stack.defer(() => rm(directory, { recursive: true }))
  const sql = connectPostgres({
    ...{ url: server.url, caFile: undefined, mode: 'development', applicationName: 'bench' },
    ...{ max: sequencerConnections, role: 'postern_sequencer' },
  })
  stack.defer(() => sql.end({ timeout: 1 }))
  const signers = [parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)]
  const settings = {
    origin,
    keys: () => ({ signers, verifiers: signers.map(({ key }) => key) }),
    store: directory,
    storeOptions: { retentionDays: 1, endpoint: undefined },
    policy: undefined,
  }
  const startedAt = performance.now()
  const database = await openSequencer({
    ...{ settings, sql, log: silentLog(), metrics: createMetrics(), stack },
  })
  const secondsUntil = async (isThere: (size: number) => boolean | Promise<boolean>) => {
    while (!(await isThere((await database.newestTree())?.size ?? 0))) await Bun.sleep(10)
    return (performance.now() - startedAt) / 1_000
  }
  const committed = await secondsUntil((size) => size === records)
  const published = await secondsUntil(async () => (await publishedSize(directory)) === records)
  return { committed, published }
}

async function publishedSize(directory: string): Promise<number> {
  const file = Bun.file(join(directory, 'checkpoint'))
  return (await file.exists()) ? Number((await file.text()).split('\n')[1]) : 0
}

/** Returns the bytes of all records together. */
async function fillIntake(sql: Sql): Promise<number> {
  let bytes = 0
  for (let from = 0; from < records; from += insertedAtOnce) {
    const rows = Array.from({ length: insertedAtOnce }, (_, at) => recordRow(from + at))
    bytes += rows.reduce((sum, row) => sum + row.body.length, 0)
    await sql`
      insert into postern_audit_intake (rec, body)
      select rec, convert_to(body, 'UTF8')
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(rec uuid, body text)`
  }
  await sql`vacuum analyze postern_audit_intake`
  await sql`checkpoint`
  return bytes
}

function recordRow(rseq: number) {
  const id = Bun.randomUUIDv7()
  const caller = {
    principal: {
      issuer: 'https://issuer.example.com',
      subject: `service-${rseq % subjects}`,
      tokenId: crypto.randomUUID(),
      keyId: 'key-1',
      scopes: new Set<string>(),
      expiresAt: 0,
    },
    clientAddress: '10.1.2.3',
    userAgent: 'service/1.0',
    requestId: Bun.randomUUIDv7(),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  const record = callerRecord(caller, {
    ...{ id, type: mix[rseq % mix.length] ?? 'job.accepted', at: new Date(), outcome: 'ok' },
    ...{ target: `job/${id}`, details: { kind: 'score-wallet' } },
  })
  const body = encodeAuditRecord(record, { replica: 'gateway@bench', epoch: 1, rseq })
  return { rec: id, body }
}

if (import.meta.main) {
  const isSide = process.argv.includes('measure')
  if (isSide) process.stdout.write(`${JSON.stringify(await measure())}\n`)
  else printFigures(await sequenceFigures())
}
