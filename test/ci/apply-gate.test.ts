import { afterAll, expect, test } from 'bun:test'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const fixtures = join(import.meta.dir, 'apply-gate')
const gate = join(import.meta.dir, '../../ci/apply-gate.ts')
const payloadType = 'application/vnd.in-toto+json'
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function envelope(statement: string, key: KeyObject) {
  const body = Buffer.from(statement)
  const signed = `DSSEv1 ${payloadType.length} ${payloadType} ${body.length} ${body}`
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const sig = sign(algorithm, Buffer.from(signed), key).toString('base64')
  return { payload: body.toString('base64'), payloadType, signatures: [{ sig }] }
}

const root = mkdtempSync(join(tmpdir(), 'apply-gate-'))
afterAll(() => rmSync(root, { recursive: true }))

/** The good evidence, with what a fixture holds in its place; every statement signed. */
function layOut(fixture: string, key = ours.privateKey): string {
  const folder = mkdtempSync(join(root, 'evidence-'))
  for (const name of ['good', fixture]) {
    cpSync(join(fixtures, name), folder, { recursive: true })
  }
  // What is no JSON must not be called so: formatters read it too.
  for (const name of readdirSync(folder).filter((path) => path.endsWith('.cut'))) {
    renameSync(join(folder, name), join(folder, name.replace('.cut', '')))
  }
  mkdirSync(join(folder, 'attestations'))
  for (const name of readdirSync(folder).filter((path) => path.endsWith('.statement.json'))) {
    const signed = JSON.stringify(envelope(readFileSync(join(folder, name), 'utf8'), key))
    writeFileSync(join(folder, 'attestations', name), signed)
  }
  writeFileSync(
    join(folder, 'key.pem'),
    ours.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  )
  return folder
}

function ask(folder: string, now = '2026-11-28T11:00:00Z') {
  const key = join(folder, 'key.pem')
  const { stdout, exitCode } = Bun.spawnSync([
    ...[process.execPath, gate, '--environment', 'prod', '--plan', join(folder, 'plan.bin')],
    ...['--evidence', folder, '--owners', join(folder, 'CODEOWNERS'), '--now', now],
    ...['--plan-signer', key, '--image-signer', key],
  ])
  return { lines: stdout.toString().trim().split('\n'), exitCode }
}

const unjudged = /^(evidence|push\.unknown)/

test.each(readdirSync(fixtures))('evidence %s is answered as expected, a line a reason', (name) => {
  const expected = readFileSync(join(fixtures, name, 'expect.txt'), 'utf8')
    .trim()
    .split('\n')
  const { lines, exitCode } = ask(layOut(name))
  if (expected[0] === 'admitted') {
    expect({ lines, exitCode }).toEqual({
      lines: [expect.stringMatching(/^admitted/)],
      exitCode: 0,
    })
    return
  }
  expect(exitCode).toBe(expected.some((line) => unjudged.test(line)) ? 2 : 1)
  // A parser's complaint about a file is its own; that there is one, and of which file, is ours.
  if (name === 'truncated-json')
    expect(lines).toEqual([expect.stringContaining('pull-request.json')])
  else expect(lines).toEqual(expected)
})

test('attestations by another key count for nothing', () => {
  const stranger = generateKeyPairSync('ed25519')
  const { lines, exitCode } = ask(layOut('good', stranger.privateKey))
  expect(exitCode).toBe(1)
  expect(lines.filter((line) => line.startsWith('attestation.unverified'))).toHaveLength(4)
})

test('a statement that was changed after it was signed counts for nothing', () => {
  const folder = layOut('expired-plan')
  const path = join(folder, 'attestations', 'plan.statement.json')
  const signed = JSON.parse(readFileSync(path, 'utf8'))
  const good = readFileSync(join(fixtures, 'good', 'plan.statement.json'))
  writeFileSync(path, JSON.stringify({ ...signed, payload: good.toString('base64') }))
  expect(ask(folder).lines[0]).toStartWith('attestation.unverified: plan.statement.json')
})

test.each([
  ['2026-11-28T14:00:00Z', 0],
  ['2026-11-28T14:00:01Z', 1],
  ['2026-11-28T09:58:00Z', 0],
  ['2026-11-28T09:57:59Z', 1],
])('at %s the exit code for a plan of 10:00 is %d', (now, code) => {
  expect(ask(layOut('good'), now).exitCode).toBe(code)
})

test('an empty folder of evidence is not whole', () => {
  const folder = layOut('good')
  writeFileSync(join(folder, 'pull-request.json'), '[]')
  expect(ask(folder).exitCode).toBe(2)
})

test('a command line that cannot be meant ends with 64', () => {
  expect(
    Bun.spawnSync([process.execPath, gate, '--plan', 'x'], { stderr: 'ignore' }).exitCode,
  ).toBe(64)
})
