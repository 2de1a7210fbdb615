import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { incidentReads } from '#core/incident/incident-reads.ts'
import { gatewayHeartbeats, logSigns, oldestUnpublished } from '#core/incident/postgres-looks.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { type IncidentWorld, incidentWorldOn } from './incident-world.ts'

setDefaultTimeout(60_000)

let folder: string
let world: IncidentWorld
const stack = new AsyncDisposableStack()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-incidents-embedded-'))
  const engine = await openEmbeddedEngine({ directory: folder, fresh: true })
  stack.adopt(engine, (open) => open.close())
  world = await incidentWorldOn(engine.url, { hasRoles: false, queue: 'postgres' })
  stack.defer(() => world.close())
})
afterAll(async () => {
  await stack.disposeAsync()
  await rm(folder, { recursive: true })
})

test('incidents are opened once, closed and measured on the embedded engine', async () => {
  const store = world.storeOn()
  const seen = {
    class: 'queue',
    reason: 'away',
    startedAge: 60,
    failingAge: 40,
    goodAge: 39,
  } as const
  expect([await store.tell({ ...seen, goodAge: undefined }), await store.tell(seen)]).toEqual([
    ...[true, false],
  ])
  expect(Math.round((await store.close('queue', 39)) ?? 0)).toBe(21)
  expect(await store.tell(seen)).toBe(false)
  const reads = incidentReads(world.sql)
  const { incidents } = await reads.list({ state: 'recovered', limit: 9 })
  expect(incidents).toMatchObject([{ class: 'queue' }])
  expect((await reads.recoveries(90)).map((one) => one.recovered).filter((n) => n > 0)).toEqual([1])
  await store.live(false)
  expect(await store.lastSign()).toMatchObject({ isStopped: false })
  expect(await store.hasLivedThrough(1)).toBe(false)
})

test('what is looked at is read from there', async () => {
  const { sql } = world
  expect(await logSigns(sql)).toEqual({ ledMs: undefined, signedMs: undefined })
  expect(await oldestUnpublished(sql)).toBeUndefined()
  await sql`update postern_audit_head set led_until = now() - interval '9 seconds'`
  await sql`
    insert into postern_audit_checkpoint (size, root, note, signed_at, published_at)
    values (1, '', '', now() - interval '90 seconds', null),
      (2, '', '', now() - interval '60 seconds', now()),
      (3, '', '', now() - interval '30 seconds', null),
      (4, '', '', now() - interval '1 second', null)`
  await sql`
    insert into postern_process (id, role, host, version, seen_at)
    values (gen_random_uuid(), 'gateway+worker', 'h', 'v', now() - interval '5 seconds'),
      (gen_random_uuid(), 'worker', 'h', 'v', now())`
  const seconds = (ms: number | undefined) => Math.round((ms ?? 0) / 1_000)
  const { ledMs, signedMs } = await logSigns(sql)
  expect([seconds(ledMs), seconds(signedMs)]).toEqual([9, 1])
  expect(seconds(await oldestUnpublished(sql))).toBe(30)
  expect((await gatewayHeartbeats(sql)).map(({ ageMs }) => seconds(ageMs))).toEqual([5])
})
