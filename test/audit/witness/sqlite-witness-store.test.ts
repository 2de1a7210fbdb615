import { Database } from 'bun:sqlite'
import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { parseNote } from '#core/audit/note/note.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey } from '#core/audit/note/verifier-key.ts'
import { httpWitness } from '#core/audit/witness/http-witness.ts'
import { createWitnessStore, openWitnessStore } from '#core/audit/witness/sqlite-witness-store.ts'
import { originHash } from '#core/audit/witness/witness-store.ts'
import { ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { makeSigner, origin, smallLog } from './small-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-witness-'))
afterAll(() => rmSync(folder, { recursive: true }))

const log = smallLog()
const signerKey = generateSignerKey('witness.example.com/w1', 'cosignature').signerKey
const signer = parseSignerKey(signerKey)
const hash = originHash(origin)
const cosigned = (size: number, by = signer) =>
  log.note(size) + cosign(parseNote(log.note(size)).text, 1_700_000_000, by)

let directories = 0
function fresh(): string {
  const directory = join(folder, String(directories++))
  createWitnessStore(directory, signer.key)
  return directory
}

function problemOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n')
    throw error
  }
  throw new Error('was not refused')
}

const open = (directory: string, key = signer.key) => openWitnessStore(directory, key)

/** Changes rows behind the store's back. */
function tamper(directory: string, statement: string, ...values: string[]): void {
  const db = new Database(join(directory, 'witness.db'), { readwrite: true })
  db.query(statement).run(...values)
  db.close()
}

test('a memory that is missing is refused: it may be a volume that was not mounted', () => {
  const directory = join(folder, 'nowhere')
  expect(problemOf(() => open(directory))).toBe(
    `--data: ${directory} holds no memory; for a key that has never cosigned, run \`postern witness init\``,
  )
})

test('a memory is never made over another', () => {
  const directory = fresh()
  expect(problemOf(() => createWitnessStore(directory, signer.key))).toContain('already holds')
  open(directory).close()
})

test('the memory of another key is refused, and names whose it is', () => {
  const directory = fresh()
  const other = makeSigner('witness.example.com/w1', 'cosignature')
  expect(problemOf(() => open(directory, other.key))).toContain(formatVerifierKey(signer.key))
})

test.each([
  ['a checkpoint that the witness did not sign', hash, log.note(5)],
  ['a checkpoint signed by another', hash, cosigned(5, makeSigner('w', 'cosignature'))],
  ['a size changed by hand', hash, cosigned(5).replace('\n5\n', '\n4\n')],
  ['a checkpoint under another origin', originHash('other.example/log'), cosigned(5)],
  ['nothing', hash, ''],
])('a damaged memory is refused: %s', (_, row, note) => {
  const directory = fresh()
  tamper(directory, 'insert into cosigned values (?1, ?2)', row, note)
  expect(problemOf(() => open(directory))).toContain('is damaged')
})

test.each([
  ['cut in half', (bytes: Buffer) => bytes.subarray(0, bytes.byteLength / 2)],
  ['cut in the first page', (bytes: Buffer) => bytes.subarray(0, 1_000)],
  ['overwritten', (bytes: Buffer) => Buffer.alloc(bytes.byteLength, 'x')],
  ['zeroed', (bytes: Buffer) => Buffer.alloc(bytes.byteLength)],
  ['emptied', () => Buffer.alloc(0)],
])('a damaged file is refused, and not made anew: %s', (_, damage) => {
  const directory = fresh()
  const store = open(directory)
  store.replace(hash, undefined, cosigned(5))
  store.close()
  const path = join(directory, 'witness.db')
  writeFileSync(path, damage(readFileSync(path)))
  expect(problemOf(() => open(directory))).toContain('is damaged')
  expect(problemOf(() => createWitnessStore(directory, signer.key))).toContain('already holds')
})

test('any flipped byte of what is kept is refused or read as it was', () => {
  const directory = fresh()
  const store = open(directory)
  store.replace(hash, undefined, cosigned(5))
  store.close()
  const path = join(directory, 'witness.db')
  const whole = readFileSync(path)
  const at = whole.indexOf(origin)
  expect(at).toBeGreaterThan(0)
  for (let byte = at; byte < at + cosigned(5).length; byte += 7) {
    const flipped = Buffer.from(whole)
    flipped.writeUInt8(whole.readUInt8(byte) ^ 1, byte)
    writeFileSync(path, flipped)
    try {
      const damaged = open(directory)
      // The log's own signature is not the witness's to check.
      expect(parseNote(damaged.find(hash) ?? '').text).toBe(parseNote(cosigned(5)).text)
      damaged.close()
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
    }
  }
})

test('only what still stands is replaced, and the memory survives a restart', () => {
  const directory = fresh()
  const store = open(directory)
  expect(store.replace(hash, cosigned(4), cosigned(5))).toBe(false)
  expect(store.replace(hash, undefined, cosigned(5))).toBe(true)
  expect(store.replace(hash, undefined, cosigned(6))).toBe(false)
  expect(store.replace(hash, cosigned(4), cosigned(6))).toBe(false)
  expect(store.replace(hash, cosigned(5), cosigned(7))).toBe(true)
  store.close()
  const again = open(directory)
  expect(again.find(hash)).toBe(cosigned(7))
  expect(again.find(originHash('other.example/log'))).toBeUndefined()
  again.close()
})

test('a store that cannot be used is an outage', () => {
  const store = open(fresh())
  store.close()
  expect(() => store.find(hash)).toThrow(PosternError)
  expect(() => store.replace(hash, undefined, cosigned(5))).toThrow('the witness has no memory')
})

test('nobody else can read the directory', () => {
  expect(statSync(fresh()).mode & 0o777).toBe(0o700)
})

const children: Bun.Subprocess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const script = join(import.meta.dir, 'witness-process.ts')

async function startProcess(directory: string) {
  const args = [directory, signerKey, formatVerifierKey(log.signer.key)]
  const child = Bun.spawn([process.execPath, script, ...args], { stdout: 'pipe', stderr: 'pipe' })
  children.push(child)
  const reader = child.stdout.getReader()
  const { value } = await reader.read()
  const url = Buffer.from(value ?? [])
    .toString()
    .trim()
  if (url === '') throw new Error(await new Response(child.stderr).text())
  const consistencyProof = async (old: number, size: number) => log.consistency(old, size)
  const witness = httpWitness({ name: 'w1', key: signer.key, url, consistencyProof })
  return { child, witness }
}

test('two processes on one directory: the second refuses, a killed one is no hindrance', async () => {
  const directory = fresh()
  const { child } = await startProcess(directory)
  expect(problemOf(() => open(directory))).toContain('is in use by another process')
  child.kill('SIGSTOP')
  expect(problemOf(() => open(directory))).toContain('is in use by another process')
  child.kill('SIGKILL')
  await child.exited
  open(directory).close()
})

test('killed again and again while it cosigns, it forgets nothing that it gave out', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  process.stdout.write(`seed ${seed}\n`)
  const random = mulberry(seed)
  const directory = fresh()
  let size = 0
  for (let round = 0; round < 6; round += 1) {
    const { child, witness } = await startProcess(directory)
    // The first lives long enough to give something out on the slowest disk.
    const livesMs = 20 + random() * 120 + 600 / (round + 1) ** 3
    setTimeout(() => child.kill('SIGKILL'), livesMs)
    let given = 0
    for (;;) {
      const outcome = await witness.cosign(log.note(size + 1), new AbortController().signal)
      if (outcome.outcome === 'unavailable') break
      if (outcome.outcome !== 'cosigned') throw new Error(JSON.stringify(outcome))
      size += 1
      given += 1
    }
    await child.exited
    const store = open(directory)
    const note = store.find(hash)
    store.close()
    const kept = note === undefined ? 0 : parseCheckpoint(parseNote(note).text).size
    expect({ round, given, kept: kept === size || kept === size + 1 }).toMatchObject({ kept: true })
  }
  expect(size).toBeGreaterThan(0)
  expect(readdirSync(directory).filter((name) => !name.startsWith('witness.db'))).toEqual([])
}, 30_000)

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
