import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import {
  logKey,
  origin,
  publish,
  record,
  signedCheckpoint,
  type TestLog,
  testLog,
} from '#test/audit/verify/test-log.ts'
import { eventually } from '#test/integration/world.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

const hourMs = 3_600_000
const firstMs = Date.parse('2026-11-24T12:00:00.000Z')
/** 300 records of each of three hours; one of the second hour comes late, in the third. */
const entries = Array.from({ length: 900 }, (_, rseq) => {
  const hour = rseq === 750 ? 1 : Math.floor(rseq / 300)
  const atMs = firstMs + hour * hourMs + rseq
  return record({ rseq, atMs, ...(rseq === 0 ? { type: 'process.started' as const } : {}) })
})
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

let log: TestLog
let folder: string
let trust: readonly string[]
beforeAll(async () => {
  log = await testLog(entries, [300])
  folder = await mkdtemp(join(tmpdir(), 'postern-audit-command-'))
  await writeFile(join(folder, 'log.vkey'), `# the log of the tests\n${logKey.verifierKey}\n`)
  trust = ['--log', log.directory, '--vkey', 'log.vkey']
})
afterAll(async () => {
  await log[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const audit = (args: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
  runPostern(['audit', ...args], { folder, settings: { POSTERN_MODE: 'development', ...settings } })

test('verify ends with 0 and says what it did not check; --json is one object', async () => {
  const { code, out } = await audit(['verify', ...trust])
  expect(code).toBe(0)
  expect(out).toMatch(/^verdict {5}ok \(exit 0\)$/m)
  expect(out).toMatch(/^not checked .*--strict$/m)
  const json = await audit(['verify', ...trust, '--strict', '--json'])
  expect(json.code).toBe(0)
  expect(JSON.parse(json.out)).toMatchObject({ exitCode: 0 })
})

test.each([
  [['verify', '--log', '.'], '--vkey'],
  [['verify', '--log', '.', '--vkey', 'nowhere.vkey'], 'nowhere.vkey cannot be read'],
  [['verify', '--log', '.', '--vkey', 'log.vkey', '--from', '-1'], 'a whole number'],
  [['verify', '--vkey', 'log.vkey'], '--log'],
  [['prove', 'first', '--log', '.'], 'a whole number'],
  [['check', 'a', 'b', '--vkey', 'log.vkey'], 'a cannot be read'],
])('%j is a usage error that names what is wrong', async (args, problem) => {
  const { code, error } = await audit(args)
  expect({ code, isNamed: error.includes(problem) }).toEqual({ code: 64, isNamed: true })
})

test('a folder without a log cannot be told, whatever is asked', async () => {
  const empty = await mkdtemp(join(folder, 'empty-'))
  const [verify, prove] = await Promise.all([
    audit(['verify', '--log', empty, '--vkey', 'log.vkey']),
    audit(['prove', '0', '--log', empty]),
  ])
  expect([verify.code, prove.code]).toEqual([6, 6])
})

test('a receipt is made, checks with its record alone, and with no other', async () => {
  const proof = join(folder, '750.tlog-proof')
  expect((await audit(['prove', '750', '--log', log.directory, '--out', proof])).code).toBe(0)
  await writeFile(join(folder, '750.json'), `${textOf(entries[750])}\n`)
  await writeFile(join(folder, '751.json'), textOf(entries[751]))
  const right = await audit(['check', '750.json', proof, '--vkey', 'log.vkey'])
  expect(right).toMatchObject({ code: 0, out: `ok: entry 750 of ${origin}, in the tree of 900\n` })
  const wrong = await audit(['check', '751.json', proof, '--vkey', 'log.vkey'])
  expect(wrong).toMatchObject({ code: 2 })
  expect((await audit(['prove', '900', '--log', log.directory])).code).toBe(6)
})

test('an older checkpoint is the beginning of the newer one, and not the other way round', async () => {
  await writeFile(join(folder, 'old'), signedCheckpoint(entries.slice(0, 300)))
  await writeFile(join(folder, 'new'), signedCheckpoint(entries))
  await writeFile(join(folder, 'fork'), signedCheckpoint(entries.slice(1, 301)))
  const codes = await Promise.all(
    [['old'], ['old', 'new'], ['new', 'old'], ['fork', 'new']].map(
      async (files) => (await audit(['consistency', ...files, ...trust])).code,
    ),
  )
  expect(codes).toEqual([0, 0, 3, 2])
})

test('an export holds each record once, in the order of the log, and goes on where it ended', async () => {
  const out = join(folder, 'shipped')
  expect(await audit(['export', ...trust, '--out', out])).toMatchObject({ code: 0 })
  const names = (await readdir(out)).filter((name) => name.endsWith('.jsonl.gz')).sort()
  expect(names).toEqual([
    '2026-11-24T12Z-000000000000-000000000299.jsonl.gz',
    '2026-11-24T13Z-000000000300-000000000599.jsonl.gz',
  ])
  const again = await audit(['export', ...trust, '--out', out, '--partial'])
  expect(again.out).toStartWith('exported 300 records from entry 600')
  const files = (await readdir(out)).sort()
  const lines: string[] = []
  for (const name of files.filter((file) => file.endsWith('.gz'))) {
    const text = Buffer.from(Bun.gunzipSync(await readFile(join(out, name)))).toString()
    lines.push(...text.trimEnd().split('\n'))
    const checkpoint = await readFile(join(out, name.replace('.jsonl.gz', '.checkpoint')), 'utf8')
    expect(checkpoint).toBe(signedCheckpoint(entries))
  }
  expect(lines).toEqual(
    entries.map((entry, index) => `{"index":${index},"record":${textOf(entry)}}`),
  )
  expect(files.some((name) => name.endsWith('.tmp'))).toBe(false)
})

test('what is not right is not exported', async () => {
  await using broken = await testLog(entries.slice(0, 300))
  await broken.change('tile/0/000', (bytes) => bytes.toReversed())
  const out = join(folder, 'refused')
  const place = ['--log', broken.directory, '--vkey', 'log.vkey']
  expect((await audit(['export', ...place, '--out', out, '--partial'])).code).toBe(2)
  expect(await readdir(out)).toEqual([])
})

/** Starts a command that follows a log; `end` sends what Ctrl-C sends. */
function follow(args: readonly string[]) {
  const child = Bun.spawn([...posternCommand, 'audit', ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', POSTERN_MODE: 'development' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let said = ''
  const reading = (async () => {
    for await (const chunk of child.stdout) said += new TextDecoder().decode(chunk)
  })()
  return {
    said: () => said,
    async end() {
      child.kill('SIGINT')
      await reading
      return await child.exited
    },
  }
}

test('tail prints what is published, and then what comes', async () => {
  await using growing = await testLog(entries.slice(0, 300))
  const tail = follow(['tail', '--log', growing.directory, '--from', '298'])
  const lines = () => tail.said().split('\n').filter(Boolean)
  await eventually(() => Promise.resolve(lines().length === 2))
  await publish(await openFileTileStore(growing.directory), entries.slice(0, 302))
  await eventually(() => Promise.resolve(lines().length === 4))
  expect(await tail.end()).toBe(0)
  expect(lines()).toEqual(entries.slice(298, 302).map(textOf))
})

test('monitor says when the verdict changes, and ends with the worst it has seen', async () => {
  await using growing = await testLog(entries.slice(0, 300))
  const watched = ['--log', growing.directory, '--vkey', 'log.vkey', '--max-age', '999999999']
  const monitor = follow(['monitor', ...watched, '--every', '1'])
  await eventually(() => Promise.resolve(monitor.said().includes(' ok at size 300')))
  await growing.change('checkpoint', (bytes) => bytes.toReversed())
  await eventually(() => Promise.resolve(monitor.said().includes(' integrity at size ')))
  await growing.change('checkpoint', () => Buffer.from(signedCheckpoint(entries.slice(0, 300))))
  await eventually(() => Promise.resolve(monitor.said().trimEnd().split('\n').length === 3))
  expect(await monitor.end()).toBe(2)
})

test('freeze ends a log with a last record of both names, and nothing is taken after it', async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const name = 'frozen.example.com/audit'
  const { signerKey, verifierKey } = generateSignerKey(name, 'ed25519')
  const store = join(folder, 'frozen')
  const settings = {
    POSTERN_DATABASE_URL: url,
    POSTERN_QUEUE: 'postgres',
    POSTERN_AUDIT_ORIGIN: name,
    POSTERN_AUDIT_KEYS: signerKey,
    POSTERN_AUDIT_STORE: store,
  }
  const migrated = await runPostern(['migrate'], {
    folder,
    settings: { POSTERN_MODE: 'development', ...settings },
  })
  expect(migrated.code).toBe(0)
  const alone = ['freeze', '--reason', 'test', '--approved-by', userInfo().username]
  expect((await audit(alone, settings)).code).toBe(64)
  const frozen = await audit(
    ['freeze', '--reason', 'service retired', '--approved-by', 'R. Okafor'],
    settings,
  )
  expect(frozen.out).toMatch(
    /^frozen: the log of frozen\.example\.com\/audit ends with 3 entries$/m,
  )
  const verified = await audit(['verify', '--log', store, '--vkey', verifierKey, '--strict'])
  expect(verified.code).toBe(0)
  const revoked = await runPostern(
    ['revoke', '--issuer', 'https://id.example', '--jti', 'a', '--reason', 'test'],
    { folder, settings: { POSTERN_MODE: 'development', ...settings } },
  )
  expect(revoked.code).toBe(1)
  expect(revoked.error).toContain('audit.unavailable')
})
