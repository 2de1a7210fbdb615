import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresBackend, Queue, Worker } from 'bullmq'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { type EmbeddedEngine, openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { cStrings, messageCutter, queryMessage, wireMessage } from '#core/postgres/wire-message.ts'

/** A first start of the embedded engine takes some seconds where something else runs. */
setDefaultTimeout(30_000)

/** initdb in WebAssembly takes seconds, and many on a busy machine. */
const initializeTwiceMs = 60_000

let directory: string
let engine: EmbeddedEngine
let sql: Sql

function open(url: string): Sql {
  return connectPostgres({ url, mode: 'development', applicationName: 'embedded test', max: 4 })
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-embedded-'))
  engine = await openEmbeddedEngine({ directory })
  sql = open(engine.url)
  await migrate({ sql, queue: 'postgres' })
  await sql`create table note (id integer primary key)`
})

afterAll(async () => {
  await sql.end({ timeout: 1 })
  await engine.close()
  await rm(directory, { recursive: true })
})

async function isServing(): Promise<boolean> {
  const answers = await Promise.all([1, 2, 3, 4].map((n) => sql`select ${n}::integer as n`))
  return answers.every(([row], at) => row?.['n'] === at + 1)
}

/** A client that speaks the protocol by hand, so that it can break off anywhere. */
async function rawClient(password?: string, url = engine.url) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const heard: string[] = []
  const waiting: { type: string; resolve: () => void }[] = []
  const cutter = messageCutter()
  socket.on('data', (chunk: Buffer) => {
    cutter.push(chunk)
    for (let message = cutter.next(); message !== undefined; message = cutter.next()) {
      const { type } = message
      heard.push(type)
      for (const each of waiting) if (each.type === type) each.resolve()
    }
  })
  const until = (type: string) =>
    new Promise<void>((resolve) => {
      waiting.push({ type, resolve })
    })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
  })
  socket.on('error', () => undefined)
  const asked = until('R')
  socket.write(startup())
  await asked
  const answered = Promise.race([until('Z'), closed])
  socket.write(wireMessage('p', cStrings(password ?? new URL(url).password)))
  await answered
  return { socket, heard, until, closed }
}

function startup(): Uint8Array {
  const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), cStrings('user', 'postgres', '')])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length + 4)
  return Buffer.concat([length, body])
}

function parse(text: string): Uint8Array {
  return wireMessage('P', Buffer.concat([cStrings('named', text), new Uint8Array(2)]))
}

function sync(): Uint8Array {
  return wireMessage('S', new Uint8Array())
}

test('a wrong password is refused and nothing is executed', async () => {
  const client = await rawClient('guess')
  client.socket.write(queryMessage('insert into note values (666)'))
  await client.closed
  expect(client.heard).toEqual(['R', 'E'])
  expect(await sql`select id from note where id = 666`).toHaveLength(0)
})

test.each([
  ['an HTTP request', Buffer.from('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')],
  ['a length of nothing', Buffer.from([0, 0, 0, 0])],
  ['a length of 2 GiB', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['a cancel request', Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 1])],
])('%s is hung up on', async (_what, bytes) => {
  const socket: Socket = connect(Number(new URL(engine.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => {
    socket.once('close', resolve)
  })
  socket.resume()
  socket.write(bytes)
  await closed
  expect(await isServing()).toBe(true)
})

test.each([
  ['inside a transaction', [queryMessage('begin; insert into note values (1)')], 'Z'],
  ['inside a failed transaction', [queryMessage('begin; select 1/0')], 'Z'],
  [
    'after a failed Parse without a Sync',
    [parse('selec'), wireMessage('H', new Uint8Array())],
    'E',
  ],
  ['after a Parse without a Sync', [parse('select 1'), wireMessage('H', new Uint8Array())], '1'],
] as const)(
  'a client that dies %s leaves nothing and blocks nobody',
  async (_where, send, last) => {
    const client = await rawClient()
    const answered = client.until(last)
    for (const bytes of send) client.socket.write(bytes)
    await answered
    client.socket.destroy()
    expect(await isServing()).toBe(true)
    expect(await sql`select id from note where id = 1`).toHaveLength(0)
  },
)

test('two clients may give one name to different statements', async () => {
  const [one, two] = [await rawClient(), await rawClient()]
  for (const [client, text] of [
    [one, 'select 1'],
    [two, 'select 2'],
  ] as const) {
    const ready = client.until('Z')
    client.socket.write(Buffer.concat([parse(text), sync()]))
    await ready
    expect(client.heard).not.toContain('E')
    client.socket.destroy()
  }
  expect(await isServing()).toBe(true)
})

test('COPY FROM STDIN is refused and the engine goes on', async () => {
  await expect(sql`copy note from stdin`.writable()).rejects.toMatchObject({ code: '0A000' })
  await expect(sql`copy note (id) from stdin`).rejects.toMatchObject({ code: '0A000' })
  expect(await isServing()).toBe(true)
})

test('a directory in use by a living process is refused', async () => {
  const taken = await mkdtemp(join(tmpdir(), 'postern-taken-'))
  await writeFile(join(taken, 'postern.pid'), `${process.ppid}\n`)
  await expect(openEmbeddedEngine({ directory: taken })).rejects.toThrow(
    new RegExp(`in use by process ${process.ppid}`),
  )
  await rm(taken, { recursive: true })
})

test(
  'state survives a restart, a dead predecessor is no obstacle, and fresh starts over',
  async () => {
    const own = await mkdtemp(join(tmpdir(), 'postern-restart-'))
    const first = await openEmbeddedEngine({ directory: own })
    const before = open(first.url)
    await before`create table kept (n integer)`
    await before`insert into kept values (7)`
    await before.end()
    await first.close()

    const dead = Bun.spawn(['true'])
    await dead.exited
    await writeFile(join(own, 'postern.pid'), `${dead.pid}\n`)
    const second = await openEmbeddedEngine({ directory: own })
    const after = open(second.url)
    expect(await after`select n from kept`).toMatchObject([{ n: 7 }])
    await after.end()
    await second.close()

    const third = await openEmbeddedEngine({ directory: own, fresh: true })
    const fresh = open(third.url)
    expect(await fresh`select to_regclass('kept') as kept`).toMatchObject([{ kept: null }])
    await fresh.end()
    await third.close()
    await rm(own, { recursive: true })
  },
  initializeTwiceMs,
)

test(
  'closed in the midst of a transaction it is rolled back, and nothing runs behind the end',
  async () => {
    const own = await mkdtemp(join(tmpdir(), 'postern-cut-'))
    const cut = await openEmbeddedEngine({ directory: own })
    const client = await rawClient(undefined, cut.url)
    for (const text of ['create table kept (n integer)', 'begin', 'insert into kept values (7)']) {
      const done = client.until('Z')
      client.socket.write(queryMessage(text))
      await done
    }
    await cut.close()
    await client.closed
    const again = await openEmbeddedEngine({ directory: own })
    const after = open(again.url)
    expect(await after`select n from kept`).toHaveLength(0)
    await after.end()
    await again.close()
    await rm(own, { recursive: true })
  },
  initializeTwiceMs,
)

test('BullMQ, transactions and notifications share it: every job runs once', async () => {
  const jobs = 300
  const connection = { connectionString: engine.url, schema: 'public', max: 4 }
  const queue = new Queue('busy', { connection }, createPostgresBackend)
  const seen = new Map<string, number>()
  const finished = Promise.withResolvers<void>()
  const work = async (job: { readonly id?: string | undefined }) => {
    await sql.begin(async (transaction) => {
      await transaction`insert into note values (${100_000 + Number(job.id)})`
      await transaction`select pg_notify('busy_news', ${job.id ?? ''})`
    })
    const id = job.id ?? ''
    seen.set(id, (seen.get(id) ?? 0) + 1)
    if (seen.size === jobs) finished.resolve()
  }
  const workers = [1, 2].map(
    () => new Worker('busy', work, { connection, concurrency: 10 }, createPostgresBackend),
  )
  const news = new Set<string>()
  const listener = await sql.listen('busy_news', (payload) => news.add(payload))
  const batches = Array.from({ length: 10 }, (_, batch) =>
    queue.addBulk(
      Array.from({ length: jobs / 10 }, (_each, n) => ({ name: 'any', data: { batch, n } })),
    ),
  )
  await Promise.all(batches)
  await finished.promise
  await Promise.all(workers.map((worker) => worker.close()))
  expect([...seen.values()].every((times) => times === 1)).toBe(true)
  const [row] = await sql`select count(*)::integer as n from note where id >= 100000`
  expect(row).toMatchObject({ n: jobs })
  expect(news.size).toBe(jobs)
  expect(await queue.getJobCounts('active', 'waiting', 'failed')).toMatchObject({
    active: 0,
    waiting: 0,
    failed: 0,
  })
  await listener.unlisten()
  await queue.close()
})
