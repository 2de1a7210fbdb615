import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { parseReceipt, verifyReceipt } from '#core/audit/note/receipt.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { postgresAuditReader } from '#core/audit/read/postgres-audit-reader.ts'
import { systemRecord } from '#core/audit/record.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { auditRoutes } from '#gateway/routes/audit.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { memoryJobs } from '#test/gateway/memory-jobs.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { openSequencer, sequencerConnections } from '../../commands/open-sequencer.ts'

const origin = 'postern.example.com/audit'
const signers = [parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)]
const logKeys = signers.map((signer) => signer.key)
const now = () => new Date()
// How soon a busy machine writes a record is not what these tests look at.
const patientMs = 15_000
const rec = Bun.randomUUIDv7()
const stack = new AsyncDisposableStack()

let gateway: ReturnType<typeof memoryGateway>
let closed: ReturnType<typeof memoryGateway>

beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const pool = { url, mode: 'development', applicationName: 'test', max: 2 } as const
  const opened = (options: Parameters<typeof connectPostgres>[0]): Sql =>
    stack.adopt(connectPostgres(options), (sql) => sql.end({ timeout: 1 }))
  await migrate({ sql: opened(pool), queue: 'redis' })
  const sql = opened({ ...pool, role: 'postern_gateway' })
  const log = silentLog()
  const metrics = createMetrics()
  const store = await mkdtemp(join(tmpdir(), 'postern-audit-routes-'))
  stack.defer(() => rm(store, { recursive: true }))
  const journal = testJournal()
  const audit = postgresAuditLog({ sql, journal, log, metrics, now, appendMs: patientMs })
  stack.defer(() => audit.close())
  const published = fileTileSource(store)
  const reader = postgresAuditReader({ sql, published })
  const { jobs } = memoryJobs()
  const routes = auditRoutes({ reader, audit, jobs, now })
  gateway = memoryGateway({ overrides: { routes } })
  const unpublished = auditRoutes({
    ...{ audit, jobs, now },
    reader: { ...reader, published: undefined },
  })
  closed = memoryGateway({ overrides: { routes: unpublished } })
  expect((await gateway.request('/internal/audit/checkpoint')).status).toBe(404)
  const settings = {
    ...{ origin, store, policy: undefined },
    keys: () => ({ signers, verifiers: logKeys }),
    storeOptions: { retentionDays: 1, endpoint: undefined },
  }
  const sequencer = opened({ ...pool, max: sequencerConnections, role: 'postern_sequencer' })
  await openSequencer({ settings, sql: sequencer, log, metrics, stack })
  const record = { id: rec, type: 'queue.paused', at: now(), target: 'queue/a' } as const
  await audit.append(systemRecord({ ...record, outcome: 'ok', requestId: 'request-1' }))
})
afterAll(() => stack.disposeAsync())

async function eventually(path: string): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const response = await gateway.request(path)
    if (response.status === 200 || tries === 100) return response
    await Bun.sleep(50)
  }
}

const page = z.object({
  entries: z.array(z.object({ index: z.number(), record: z.string() })),
  next: z.number().optional(),
})

test('a record gets a receipt that verifies without the log', async () => {
  const response = await eventually(`/internal/audit/records/${rec}/receipt`)
  expect(response.headers.get('content-type')).toContain('text/plain')
  const receipt = parseReceipt(await response.text())
  const listed = page.parse(
    await (await gateway.request('/internal/audit/entries?requestId=request-1')).json(),
  )
  const [entry] = listed.entries
  expect(entry?.index).toBe(receipt.index)
  const bytes = new TextEncoder().encode(entry?.record ?? '')
  expect(verifyReceipt(receipt, bytes, { logKeys, policy: undefined }).origin).toBe(origin)
})

test('entries are filtered and paged in the order of the log', async () => {
  await eventually(`/internal/audit/records/${rec}/receipt`)
  const first = page.parse(await (await gateway.request('/internal/audit/entries?limit=1')).json())
  expect(first.entries).toHaveLength(1)
  const none = await gateway.request('/internal/audit/entries?type=token.revoked')
  expect(page.parse(await none.json()).entries).toEqual([])
  const typed = await gateway.request('/internal/audit/entries?type=queue.paused')
  expect(page.parse(await typed.json()).entries).toHaveLength(1)
})

test('entries past the ninth come behind it, and the pages hold each once', async () => {
  for (let read = 0; read < 12; read++) await gateway.request('/internal/audit/entries?limit=1')
  await eventually('/internal/audit/consistency?from=0&to=13')
  const indices: number[] = []
  for (let from: number | undefined = 0; from !== undefined && indices.length < 13; ) {
    const response = await gateway.request(`/internal/audit/entries?from=${from}&to=13&limit=4`)
    const { entries, next } = page.parse(await response.json())
    indices.push(...entries.map((entry) => entry.index))
    from = next
  }
  expect(indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('who reads records is in the log', async () => {
  await gateway.request('/internal/audit/entries?subject=nobody')
  const read = async () => {
    const response = await gateway.request('/internal/audit/entries?type=audit.read&limit=1000')
    return page.parse(await response.json()).entries.map((entry) => JSON.parse(entry.record))
  }
  let records = await read()
  for (let tries = 0; tries < 50 && records.length === 0; tries++) {
    await Bun.sleep(50)
    records = await read()
  }
  expect(records[0]).toMatchObject({
    type: 'audit.read',
    target: expect.stringContaining('audit/'),
  })
})

test('the published files are served as they are, and no other', async () => {
  await eventually('/internal/audit/checkpoint')
  const checkpoint = await (await gateway.request('/internal/audit/checkpoint')).text()
  const size = Number(checkpoint.split('\n')[1])
  expect((await gateway.request(`/internal/audit/checkpoints/${size}`)).status).toBe(200)
  const tile = await gateway.request(`/internal/audit/tile/0/000.p/${size}`)
  expect((await tile.arrayBuffer()).byteLength).toBe(size * 32)
  for (const path of ['tile/0/999', 'tile/64/000', 'tile/0/0', 'checkpoints/01']) {
    const problem = await problemIn(await gateway.request(`/internal/audit/${path}`))
    expect(problem.code).toBe('audit.not_found')
  }
})

test('a consistency proof is given for two sizes in order, and no others', async () => {
  await eventually('/internal/audit/checkpoint')
  const answer = await gateway.request('/internal/audit/consistency?from=0&to=1')
  expect(await answer.json()).toEqual({ from: 0, to: 1, proof: [] })
  for (const query of ['from=2&to=1', 'from=0&to=9007199254740991']) {
    const refused = await gateway.request(`/internal/audit/consistency?${query}`)
    expect((await problemIn(refused)).code).toBe('audit.not_found')
  }
  const odd = await gateway.request('/internal/audit/consistency?from=-1&to=1')
  expect((await problemIn(odd)).code).toBe('request.query_invalid')
})

test('a job of nobody has no receipt, and an unknown record is not in the log', async () => {
  const job = await gateway.request(`/v1/jobs/${Bun.randomUUIDv7()}/receipt`)
  expect((await problemIn(job)).code).toBe('job.not_found')
  const record = await gateway.request(`/internal/audit/records/${Bun.randomUUIDv7()}/receipt`)
  expect((await problemIn(record)).code).toBe('audit.not_found')
})

test('a gateway that knows no published log says which setting it lacks', async () => {
  const problem = await problemIn(await closed.request('/internal/audit/checkpoint'))
  expect(problem).toMatchObject({ status: 503, code: 'audit.unavailable' })
  expect(problem.detail).toContain('POSTERN_AUDIT_STORE')
})

test('a token without audit:read reads nothing', async () => {
  const refused = await gateway.request('/internal/audit/entries', { as: 'other' })
  expect((await problemIn(refused)).code).toBe('access.scope_missing')
})
