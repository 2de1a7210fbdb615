import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyCosignature } from '#core/audit/note/cosignature.ts'
import { parseNote } from '#core/audit/note/note.ts'
import { parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { formatAddCheckpoint } from '#core/audit/witness/add-checkpoint.ts'
import { httpWitness } from '#core/audit/witness/http-witness.ts'
import { runPostern } from '#test/commands/run-postern.ts'
import { certificates } from '#test/support/certificates.ts'
import { freePort, startServer } from '#test/support/server-process.ts'
import { origin, smallLog } from './small-log.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(90_000)

let folder: string
let log: ReturnType<typeof smallLog>
const key = () => join(folder, 'witness.key')
const data = () => join(folder, 'data')
const logs = () => join(folder, 'logs.txt')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-witness-'))
  log = smallLog()
  await writeFile(logs(), `# ours\n${formatVerifierKey(log.signer.key)}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

const settings = { POSTERN_MODE: 'development' }
const postern = (...args: string[]) => runPostern(['witness', ...args], { folder, settings })
const serve = (...args: string[]) =>
  postern('--key', key(), '--data', data(), '--logs', logs(), ...args)

test('keygen writes a key that only its owner reads, prints the other half, and keeps a key', async () => {
  const made = await postern('keygen', '--name', 'witness.example.com/w1', '--key', key())
  expect(made.code).toBe(0)
  const signer = parseSignerKey((await readFile(key(), 'utf8')).trim())
  expect(signer.key).toEqual(parseVerifierKey(made.out.trim()))
  expect(signer.key.type).toBe('cosignature')
  expect((await stat(key())).mode & 0o777).toBe(0o400)
  const again = await postern('keygen', '--name', 'witness.example.com/w1', '--key', key())
  expect(again).toMatchObject({ code: 1, out: '', error: `${key()} cannot be made: EEXIST\n` })
  const spaced = await postern('keygen', '--name', 'a b', '--key', join(folder, 'other.key'))
  expect(spaced.code).toBe(64)
})

test('what is missing is a usage error that names it', async () => {
  const { code, error } = await postern('--key', key())
  expect(code).toBe(64)
  expect(error).toContain("required option '--data <directory>' not specified")
  expect((await serve('--listen', 'here')).code).toBe(64)
})

test('a witness does not start without a memory, and makes none by itself', async () => {
  const { code, error } = await serve()
  expect([code, error]).toEqual([
    78,
    `--data: ${data()} holds no memory; for a key that has never cosigned, run \`postern witness init\`\n`,
  ])
  expect((await postern('init', '--key', key(), '--data', data())).code).toBe(0)
  const again = await postern('init', '--key', key(), '--data', data())
  expect([again.code, again.error]).toEqual([
    78,
    `--data: ${data()} already holds the memory of a witness\n`,
  ])
})

test("a key that others can read, a log's key and no key are refused", async () => {
  const exposed = join(folder, 'exposed.key')
  await writeFile(exposed, await readFile(key(), 'utf8'))
  await chmod(exposed, 0o644)
  const logKey = join(folder, 'log.key')
  await postern('keygen', '--type', 'log', '--name', origin, '--key', logKey)
  const none = join(folder, 'none.key')
  await writeFile(none, 'nothing\n', { mode: 0o400 })
  const refusal = async (path: string) => {
    const { code, error } = await serve('--key', path)
    return [code, error.trim()]
  }
  expect(await refusal(exposed)).toEqual([1, expect.stringContaining('run `chmod 0400')])
  expect(await refusal(logKey)).toEqual([78, expect.stringContaining("is a log's key")])
  expect(await refusal(none)).toEqual([78, expect.stringContaining('holds no key')])
})

test.each([
  ['no log', '# nobody\n', '--logs: names no log'],
  ['no verifier key', 'log\n', '--logs: '],
])('a list of %s is refused', async (_, text, problem) => {
  const path = join(folder, 'bad-logs.txt')
  await writeFile(path, text)
  const { code, error } = await serve('--logs', path)
  expect(code).toBe(78)
  expect(error).toStartWith(problem)
})

test('it cosigns, over TLS, and ends on SIGTERM; a second one on its memory is refused', async () => {
  const { good, caFile } = await certificates()
  const port = await freePort()
  const place = ['--listen', `127.0.0.1:${port}`]
  const args = ['--key', key(), '--data', data(), '--logs', logs(), ...place]
  const tls = `env POSTERN_MODE=development POSTERN_TLS_CERTIFICATE="$(cat ${good.certificateFile})" POSTERN_TLS_KEY="$(cat ${good.keyFile})"`
  const main = join(import.meta.dir, '..', '..', '..', 'main.ts')
  const running = await startServer({
    command: ['sh', '-c', `exec ${tls} ${process.execPath} ${main} witness ${args.join(' ')}`],
    ready: /"event":"witness.ready"/,
  })
  const second = await serve('--listen', `127.0.0.1:${await freePort()}`)
  expect([second.code, second.error]).toEqual([
    78,
    `--data: ${data()} is in use by another process; a witness is one process\n`,
  ])
  const witnessKey = parseSignerKey((await readFile(key(), 'utf8')).trim()).key
  const witness = httpWitness({
    name: 'w1',
    key: witnessKey,
    url: `https://127.0.0.1:${port}`,
    consistencyProof: async (old, size) => log.consistency(old, size),
  })
  const untrusted = await witness.cosign(log.note(5), new AbortController().signal)
  expect(untrusted.outcome).toBe('unavailable')
  const answer = await fetch(`https://127.0.0.1:${port}/add-checkpoint`, {
    method: 'POST',
    body: formatAddCheckpoint({ oldSize: 0, proof: [], note: log.note(5) }),
    tls: { ca: await readFile(caFile, 'utf8') },
  })
  const note = parseNote(log.note(5) + (await answer.text()))
  expect(verifyCosignature(note, witnessKey)).not.toBeUndefined()
  await running.stop('SIGTERM')
})
