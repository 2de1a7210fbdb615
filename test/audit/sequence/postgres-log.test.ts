import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { freezeLog } from '#core/audit/sequence/freeze-log.ts'
import { resyncLog } from '#core/audit/sequence/resync.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { treacherousProxy } from '#test/integration/treacherous-proxy.ts'
import { type PostgresServer, sharedPostgres } from '#test/support/postgres-server.ts'
import { insertRecord, type LiveLog, logContents, openLiveLog, openOwner } from './live-log.ts'
import { checkLog, checkpointAt } from './log-invariants.ts'
import { origin } from './simulated-process.ts'

setDefaultTimeout(30_000)

const signers = [parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)]
const keys = signers.map((signer) => signer.key)

let server: PostgresServer
let url: string
let owner: Sql
let acknowledged: Map<string, Uint8Array>
let stack: AsyncDisposableStack

beforeAll(async () => {
  server = await sharedPostgres()
})

afterEach(() => stack.disposeAsync())

/** An empty log in a database of its own. */
async function openWorld(): Promise<void> {
  stack = new AsyncDisposableStack()
  url = await server.createDatabase()
  owner = stack.adopt(openOwner(url), (open) => open.end({ timeout: 1 }))
  await migrate({ sql: owner, queue: 'redis', queues: [] })
  acknowledged = new Map()
}

function openLog(options: Partial<Parameters<typeof openLiveLog>[0]> = {}): LiveLog {
  const log = openLiveLog({ url, signers, role: 'postern_sequencer', ...options })
  stack.defer(() => log.close())
  return log
}

async function accept(count: number, sql: Sql = owner): Promise<void> {
  for (let done = 0; done < count; done++) {
    const rec = Bun.randomUUIDv7()
    const body = `{"actor":{"sub":"s"},"id":"${rec}","ts":"2026-11-24T21:00:00.000Z","type":"t"}`
    await insertRecord(sql, rec, body)
    acknowledged.set(rec, Buffer.from(body))
  }
}

async function check({ objects }: LiveLog, sql: Sql = owner): Promise<void> {
  checkLog({ ...(await logContents(sql)), objects }, acknowledged, keys)
}

test('what many writers commit while two sequencers run is in one log exactly once', async () => {
  await openWorld()
  const [one, two] = [openLog(), openLog()]
  const memory = one.objects
  let isDone = false
  const run = async ({ sequencer }: LiveLog) => {
    while (!isDone) {
      // Each lets the other lead at any time.
      await sequencer.turn()
      if (Math.random() < 0.2) await sequencer.release()
      await Bun.sleep(Math.random() * 10)
    }
    await sequencer.release()
  }
  const running = [run(one), run(two)]
  await Promise.all(Array.from({ length: 8 }, () => accept(60)))
  isDone = true
  await Promise.all(running)
  await one.drain()
  expect(memory.size).toBeGreaterThan(0)
  await check(one)
})

test('a record that commits long after its neighbours gets its place', async () => {
  await openWorld()
  const log = openLog()
  const rec = Bun.randomUUIDv7()
  const late = await owner.reserve()
  await late`begin`
  await insertRecord(late, rec, '{"late":true}')
  await accept(20)
  await log.drain()
  await late`commit`
  late.release()
  acknowledged.set(rec, Buffer.from('{"late":true}'))
  await log.drain()
  await check(log)
})

test('a record that was written twice is in the log once', async () => {
  await openWorld()
  const log = openLog()
  await accept(20)
  await log.drain()
  for (const [rec, body] of acknowledged) await insertRecord(owner, rec, body)
  await accept(5)
  await log.drain()
  await check(log)
  const [row] = await owner`select count(*)::integer as left from postern_audit_intake`
  expect(row?.['left']).toBe(0)
})

test.each([
  ['no JSON', 'no JSON'],
  ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ['U+0000 where a filter looks', '{"type":"\\u0000","actor":{"sub":"a\\u001fb"},"req":"\\ud800"}'],
  ['a subject of 60,000 characters', JSON.stringify({ actor: { sub: 's'.repeat(60_000) } })],
  ['a day that no calendar has', '{"ts":"2026-02-31T25:00:00Z"}'],
  ['the year 0000', '{"ts":"0000-01-01T00:00:00Z"}'],
  ['numbers for texts', '{"ts":1,"type":2,"actor":3,"req":4}'],
  ['65,535 bytes', 'x'.repeat(65_535)],
])('a record with %s has a place in the log and stops nothing', async (_what, body) => {
  await openWorld()
  const log = openLog()
  const rec = Bun.randomUUIDv7()
  await insertRecord(owner, rec, body)
  acknowledged.set(rec, Buffer.from(body))
  await accept(3)
  await log.drain()
  await check(log)
})

test.each([
  ['65,536 bytes', 65_536],
  ['1 MB', 1_000_000],
  ['no bytes', 0],
])('a record of %s is refused when it is written', async (_what, length) => {
  await openWorld()
  const written = insertRecord(owner, Bun.randomUUIDv7(), Buffer.alloc(length, 'x'))
  await expect(written).rejects.toThrow('postern_audit_intake_body')
})

test.each(['lost', 'done, answer lost'] as const)(
  'when a COMMIT is %s the next turn finds out, and nothing is lost or doubled',
  async (how) => {
    await openWorld()
    const proxy = await treacherousProxy(server.port)
    stack.defer(() => proxy.close())
    const log = openLog({ url: url.replace(/:\d+\//, `:${proxy.port}/`) })
    await accept(10)
    const committed = proxy.arm({
      how,
      // Named once for each connection, at its first transaction.
      isWrite: (text) => text.includes('commit'),
      isDone: (text) => text.includes('COMMIT'),
    })
    await expect(log.sequencer.turn()).rejects.toThrow()
    await committed
    expect(log.sequencer.head()).toBeUndefined()
    await accept(10)
    await log.drain()
    await check(log)
  },
)

test('a leader that was replaced stores nothing and follows', async () => {
  await openWorld()
  const [old, next] = [openLog(), openLog()]
  await accept(5)
  await old.drain()
  await owner`update postern_audit_head set led_until = '-infinity'`
  await next.drain()
  await accept(5)
  expect(await old.sequencer.turn()).toEqual({ kind: 'following' })
  await next.drain()
  expect(next.sequencer.head()?.size).toBe(10)
})

test('nobody changes or removes an entry, the owner of the tables included', async () => {
  await openWorld()
  await accept(3)
  await openLog().drain()
  for (const statement of [
    `update postern_audit_entry set body = 'x'`,
    'delete from postern_audit_entry where idx = 2',
    'truncate postern_audit_entry',
  ]) {
    await expect(owner.unsafe(statement).execute()).rejects.toThrow('append-only')
  }
})

test('a frozen log holds what was accepted and takes nothing more', async () => {
  await openWorld()
  const log = openLog()
  await accept(20)
  expect(await freezeLog(log, AbortSignal.timeout(10_000))).toBe(20)
  await check(log)
  expect(checkpointAt(log.objects, 'checkpoint').size).toBe(20)
  const refused = insertRecord(owner, Bun.randomUUIDv7(), 'x')
  await expect(refused).rejects.toMatchObject({ code: '25006' })
  expect((await log.sequencer.turn()).kind).toBe('frozen')
})

test('an empty database is filled again from the published tiles', async () => {
  await openWorld()
  const lost = openLog()
  await accept(600)
  await lost.drain()
  const kept = acknowledged
  const { objects } = lost
  const store = {
    read: (path: string) => Promise.resolve(objects.get(path)),
  }
  await stack.disposeAsync()
  await openWorld()
  acknowledged = kept
  const log = openLog()
  const resync = { database: log.database, source: store, origin, keys, known: [] }
  const done = await resyncLog({
    ...resync,
    owner: crypto.randomUUID(),
    onProgress: () => undefined,
  })
  expect(done).toEqual({ from: 0, to: 600 })
  await accept(3)
  await log.drain()
  await check(log)
})

test('the embedded engine keeps the same log', async () => {
  stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'postern-log-'))
  stack.defer(() => rm(directory, { recursive: true }))
  const engine = stack.adopt(await openEmbeddedEngine({ directory }), (open) => open.close())
  owner = stack.adopt(openOwner(engine.url), (open) => open.end({ timeout: 1 }))
  await migrate({ sql: owner, queue: 'redis', queues: [] })
  acknowledged = new Map()
  const log = openLog({ url: engine.url, role: undefined })
  await accept(300)
  await log.drain()
  await accept(10)
  await log.drain()
  await check(log)
})

afterAll(() => stack.disposeAsync())
