import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { type ServerProcess, startServer } from '#test/support/server-process.ts'
import { runPostern } from '../commands/run-postern.ts'
import { writeKeyFile } from '../secret/key-file.ts'
import { eventually } from './world.ts'

setDefaultTimeout(120_000)

const origin = 'keys.example.com/audit'
const oldKey = generateSignerKey(origin, 'ed25519')
const oldWebhookKey = 'whsec_c29tZSBieXRlcyBvZiBhIGtleSBmb3IgdGVzdHM='
const [webhook, audit] = ['postern/webhook', 'postern/audit']

let folder: string
let published: string
let settings: Record<string, string>
let sql: Sql
const processes: ServerProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-keys-'))
  published = join(folder, 'log')
  const url = await (await sharedPostgres()).createDatabase()
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  await writeFileSecret({ ...files, name: webhook, members: { key: oldWebhookKey } })
  await writeFileSecret({ ...files, name: audit, members: { keys: oldKey.signerKey } })
  settings = {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: url,
    POSTERN_QUEUE: 'postgres',
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: files.secretFile,
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    POSTERN_WEBHOOK_KEY: `secret:${webhook}#key`,
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_KEYS: `secret:${audit}#keys`,
    POSTERN_AUDIT_STORE: published,
    POSTERN_PROBE_PORT: '0',
    POSTERN_SEQUENCER_PROBE_PORT: '0',
  }
  expect(await postern(['migrate'])).toMatchObject({ code: 0 })
  sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 2 })
  processes.push(await start(['audit', 'sequence'], /sequence\.ready/))
  processes.push(await start(['work'], /work\.ready/))
})
afterAll(async () => {
  await Promise.all(processes.map((one) => one.stop('SIGTERM')))
  await sql.end({ timeout: 1 })
  await rm(folder, { recursive: true })
})

const postern = (args: readonly string[]) => runPostern(args, { folder, settings })

async function start(args: readonly string[], ready: RegExp): Promise<ServerProcess> {
  const environment = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  const command = ['env', '-i', ...environment, ...posternCommand, ...args]
  for (let tries = 1; ; tries += 1) {
    try {
      return await startServer({ command, ready, cwd: folder })
    } catch (error) {
      // A process whose first record is late ends, to be started again.
      if (tries === 3) throw error
    }
  }
}

/** The exit code of a verifier that knows one key. */
async function verified(key: string): Promise<number> {
  const { code } = await postern(['audit', 'verify', '--log', published, '--vkey', key, '--strict'])
  return code
}

const publishedKeys = async () => {
  const { out } = await postern(['audit', 'keys'])
  return out.trim().split('\n')
}

/** The newest checkpoint that readers see is signed by so many keys. */
const signatures = async () =>
  (await Bun.file(join(published, 'checkpoint')).text()).match(/^— /gm)?.length

const proved = async (name: string) => {
  const rows = await sql<{ role: string; version: string }[]>`
    select p.role, a.version from postern_secret_ack a
    join postern_process p on p.id = a.process where a.name = ${name}`
  return rows.map(({ role, version }) => `${role} ${version}`)
}

/** The records that are published. */
async function records(): Promise<string> {
  const names = await readdir(join(published, 'tile/entries'), { recursive: true })
  const bundles = names.filter((name) => name.endsWith('.gz'))
  const texts = await Promise.all(
    bundles.map(async (name) => {
      const file = Bun.file(join(published, 'tile/entries', name))
      // A partial bundle is removed once there is a fuller one.
      const packed = await file.bytes().catch(() => undefined)
      return packed === undefined ? '' : new TextDecoder().decode(Bun.gunzipSync(packed))
    }),
  )
  return texts.join('\n')
}

async function rotate(name: string, kind: string) {
  expect(await postern(['secrets', 'set-rotation', name, '--kind', kind])).toMatchObject({
    ...{ code: 0, error: '' },
    out: `${name}: a new key, which signs beside the one before it, every 90 days\n`,
  })
  return await postern(['secrets', 'rotate', name])
}

test('a sequencer has its connections from its start on', async () => {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from pg_stat_activity
    where datname = current_database() and application_name = 'postern sequencer'`
  // Four of its pool, and one that listens.
  expect(row?.count).toBe(5)
})

test('a worker that signs webhooks takes the next key over, and has both', async () => {
  expect(await proved(webhook)).toEqual(['worker 1'])
  const rotated = await rotate(webhook, 'webhook-key')
  expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining('1 → 2 done') })
  expect(await proved(webhook)).toEqual(['worker 2'])
  const store = fileSecretStore({
    secretFile: settings['POSTERN_SECRET_FILE'] ?? '',
    keyFile: settings['POSTERN_SECRET_BOOTSTRAP_FILE'] ?? '',
  })
  const members = await store.read(webhook, '2')
  expect(members).toEqual({
    ...{ key: expect.stringMatching(/^whsec_/), previous: oldWebhookKey },
  })
})

test('a running log changes keys, verifies with the old one and with the new one, and tells the new one itself', async () => {
  await eventually(async () => (await signatures()) === 1, 20_000)
  expect(await verified(oldKey.verifierKey)).toBe(0)
  const rotated = await rotate(audit, 'audit-key')
  expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining('1 → 2 done') })
  expect(await proved(audit)).toEqual(['sequencer 2'])
  await eventually(async () => (await signatures()) === 2, 20_000)
  const keys = await publishedKeys()
  expect(keys).toEqual([expect.stringContaining(origin), oldKey.verifierKey])
  for (const key of keys) expect(await verified(key)).toBe(0)
  await eventually(async () => (await records()).includes('audit.keys_changed'), 20_000)
  expect(await records()).toContain(JSON.stringify(keys))
})

test('of a revoked log key nothing signs any more; the log goes on and verifies with the next one', async () => {
  const before = await publishedKeys()
  const rotations = postgresRotationJournal({ sql, journal: testJournal(), now: () => new Date() })
  await rotations.plan(audit, 'test', 'urgent')
  expect(await postern(['secrets', 'rotate', audit])).toMatchObject({
    ...{ code: 0, out: expect.stringContaining('2 → 3 done') },
  })
  const [key = '', ...more] = await publishedKeys()
  expect(more).toEqual([])
  expect(before).not.toContain(key)
  await eventually(async () => (await signatures()) === 1, 20_000)
  expect(await verified(key)).toBe(0)
  expect(await verified(oldKey.verifierKey)).not.toBe(0)
})

test('a sequencer that starts again with the keys of a rotation goes on with the log', async () => {
  const [first] = processes
  await first?.stop('SIGTERM')
  processes[0] = await start(['audit', 'sequence'], /sequence\.ready/)
  const [key = ''] = await publishedKeys()
  const size = async () =>
    Number((await Bun.file(join(published, 'checkpoint')).text()).split('\n')[1])
  const before = await size()
  await postern(['secrets', 'history', audit])
  await eventually(async () => (await size()) > before, 20_000)
  expect(await verified(key)).toBe(0)
})

test('no generated key is in a record, a journal or what was printed', async () => {
  const store = fileSecretStore({
    secretFile: settings['POSTERN_SECRET_FILE'] ?? '',
    keyFile: settings['POSTERN_SECRET_BOOTSTRAP_FILE'] ?? '',
  })
  const members = [await store.read(webhook, '2'), await store.read(audit, '3')]
  const values = members.flatMap((each) => Object.values(each).flatMap((text) => text.split('\n')))
  const secret = values.filter((value) => !value.startsWith(origin))
  expect(secret).toHaveLength(3)
  const history = await Promise.all(
    [webhook, audit].map((name) => postern(['secrets', 'history', name, '--json'])),
  )
  const rows = await sql<{ text: string }[]>`
    select to_jsonb(r)::text as text from postern_secret_rotation r
    union all select to_jsonb(s)::text from postern_secret s`
  const told = [
    ...rows.map(({ text }) => text),
    ...history.map(({ out, error }) => out + error),
    await records(),
  ].join('\n')
  expect(told).toContain('secret.rotation_ended')
  for (const value of secret) expect(told).not.toContain(value)
})
