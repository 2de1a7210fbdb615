import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript } from '#test/support/run-script.ts'
import { judge, planOf, put, standInPolicy } from './stand-in-policy.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-format-'))
afterAll(() => rmSync(folder, { recursive: true }))

const policy = standInPolicy(folder)
const bad = put(folder, 'bad plan.json', JSON.stringify(planOf({ rotates: false })))
const good = put(folder, 'good.json', JSON.stringify(planOf()))
const absent = join(folder, 'absent.json')

const sarif = join(folder, 'out.sarif')
const junit = join(folder, 'out.xml')
const read = (path: string) => readFileSync(path, 'utf8')
const judged = (...args: string[]) => judge(['--policy', policy, ...args])

test('SARIF holds each result with its rule, place, level and remedy', async () => {
  await judged(bad, '--sarif', sarif)
  const log = JSON.parse(read(sarif))
  expect(log).toMatchObject({
    version: '2.1.0',
    runs: [{ invocations: [{ executionSuccessful: true }] }],
  })
  const [run] = log.runs
  expect(run.results).toHaveLength(1)
  expect(run.results[0]).toMatchObject({
    ruleId: 'terraform.a.one',
    level: 'error',
    message: { text: 'Keys rotate: it does not' },
    properties: { verdict: 'fail' },
  })
  const [place] = run.results[0].locations
  expect(place.physicalLocation.artifactLocation.uri).toEndWith('bad%20plan.json')
  expect(place.logicalLocations[0].fullyQualifiedName).toBe('aws_kms_key.k')
  const rule = run.tool.driver.rules[run.results[0].ruleIndex]
  expect(rule).toMatchObject({
    id: 'terraform.a.one',
    shortDescription: { text: 'Keys rotate' },
    help: { text: 'Set enable_key_rotation.' },
    helpUri: 'policy/README.md#terraform.a.one',
    properties: { tags: ['policy', 'CKV_AWS_7'], 'security-severity': '8.0' },
  })
})

test('SARIF of what could not be judged is no success, and no stale one stays', async () => {
  await judged(good, '--sarif', sarif)
  await judged(absent, '--sarif', sarif)
  const [run] = JSON.parse(read(sarif)).runs
  expect(run.invocations[0]).toMatchObject({ executionSuccessful: false, exitCode: 2 })
  const [note] = run.invocations[0].toolExecutionNotifications
  expect(note.message.text).toEndWith('absent.json: there is no such file')
  expect(run.results).toEqual([])
})

test('SARIF shows what is waived as suppressed', async () => {
  const own = standInPolicy(join(folder, 'waived'))
  const waiver = {
    id: 'terraform.a.one',
    address: 'aws_kms_key.k',
    reason: 'The key is gone next week.',
    until: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, ''),
    by: 'platform',
  }
  put(own, 'given/waivers/data.json', JSON.stringify([waiver]))
  expect((await judge(['--policy', own, bad, '--sarif', sarif])).exitCode).toBe(0)
  const [result] = JSON.parse(read(sarif)).runs[0].results
  expect(result.suppressions).toEqual([
    { kind: 'external', status: 'accepted', justification: waiver.reason },
  ])
})

test('JUnit has a case for each rule that answered, and errors for what could not', async () => {
  await judged(good, bad, absent, '--junit', junit)
  const text = read(junit)
  expect(text).toContain('<testsuites name="policy" tests="3" failures="1" errors="1">')
  expect(text.match(/<testcase [^>]*name="terraform\.a\.one">/g)).toHaveLength(2)
  expect(text).toContain(
    '<failure message="high fail aws_kms_key.k enable_key_rotation: Keys rotate',
  )
  expect(text).toContain('<error message="there is no such file"/>')
})

test('--json is one document with the verdict, the reports and nothing else', async () => {
  const { exitCode, stdout } = await judged(good, bad, '--json')
  const answer = JSON.parse(stdout)
  expect(answer).toMatchObject({ verdict: 'denied', exitCode })
  expect(answer.files.map((file: { report: { allow: boolean } }) => file.report.allow)).toEqual([
    true,
    false,
  ])
})

test('a pipe gets no colours', async () => {
  const { stdout } = await judged(bad)
  expect(stdout).not.toContain('\u001b')
})

test('what a plan says of itself moves no cursor and breaks no markup', async () => {
  const name = 'k\u001b[2J\u202e]]><"&'
  const odd = put(folder, 'odd.json', JSON.stringify(planOf({ rotates: false, name })))
  const { stdout } = await judged(odd, '--junit', junit, '--sarif', sarif)
  expect(stdout).toContain('aws_kms_key.k\uFFFD[2J\uFFFD]]><"&')
  expect(read(junit)).toContain('aws_kms_key.k\uFFFD[2J\uFFFD]]&gt;&lt;&quot;&amp;')
  const all = `${stdout}${read(junit)}${read(sarif)}`
  for (const character of ['\u001b', '\u202e', '\\u001b', '\\u202e']) {
    expect(all).not.toContain(character)
  }
})

test('no value of a plan is told and no copy of it stays', async () => {
  const secret = 'hunter2-in-clear'
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary)
  const text = JSON.stringify(planOf({ rotates: false, secret }))
  const outputs: string[] = []
  for (const input of [
    text,
    text.slice(0, -30),
    text.replace('"complete":true', '"complete":false'),
  ]) {
    const options = ['--policy', policy, '-', '--junit', junit, '--sarif', sarif]
    for (const more of [[], ['--json']]) {
      const answer = await runScript('policy', [...options, ...more], input, { TMPDIR: temporary })
      outputs.push(answer.stdout, answer.stderr, read(junit), read(sarif))
    }
  }
  expect(outputs.filter((output) => output.includes(secret))).toEqual([])
  expect(readdirSync(temporary)).toEqual([])
})

test('a report that cannot be written is no verdict', async () => {
  expect((await judged(good, '--sarif', join(folder, 'no/such/folder'))).exitCode).toBe(2)
})
