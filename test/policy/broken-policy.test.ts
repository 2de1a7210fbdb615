import { afterAll, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge, planOf, put, standInPolicy } from './stand-in-policy.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-broken-'))
afterAll(() => rmSync(folder, { recursive: true }))

const plan = put(folder, 'plan.json', JSON.stringify(planOf()))
let policy = ''
beforeEach(() => {
  rmSync(join(folder, 'policy'), { recursive: true, force: true })
  policy = standInPolicy(folder)
})

const judged = (path = plan) => judge(['--policy', policy, path])

async function expectUnjudged(words: string) {
  const { exitCode, stdout, stderr } = await judged()
  expect(`${stdout}${stderr}`).toContain(words)
  expect(exitCode).toBe(2)
}

test('as it stands it allows, so each break below is what refuses', async () => {
  expect((await judged()).exitCode).toBe(0)
})

test('a syntax error in any policy is never green', async () => {
  put(policy, 'terraform/a/one/one.rego', 'package terraform.a.one\n\njudged contains')
  await expectUnjudged('rego_parse_error')
})

test('a syntax error in a rule of another kind is not either', async () => {
  put(policy, 'docker/a/one/one.rego', 'package docker.a.one\n\ndeny[x] { x := 1 }')
  await expectUnjudged('rego_parse_error')
})

test('a rule that was taken away is never green', async () => {
  rmSync(join(policy, 'terraform'), { recursive: true })
  await expectUnjudged('the rule terraform.a.one has not answered')
})

test('a rule that is not in the manifest is not green', async () => {
  put(
    policy,
    'terraform/a/two/two.rego',
    'package terraform.a.two\n\njudged := set()\n\ndeny := set()',
  )
  await expectUnjudged('the rule terraform.a.two is not in the manifest')
})

test('a rule whose package was misspelt is not green', async () => {
  const path = join(policy, 'terraform/a/one/one.rego')
  put(policy, 'terraform/a/one/one.rego', readFileSync(path, 'utf8').replace('a.one', 'a.won'))
  await expectUnjudged('the rule terraform.a.one has not answered')
})

test('a rule that refuses without a result is not green', async () => {
  put(
    policy,
    'terraform/a/one/one.rego',
    'package terraform.a.one\n\njudged := {"x"}\n\ndeny := {"no"}',
  )
  await expectUnjudged('the rule terraform.a.one says what is no result')
})

test('a built-in that fails in a rule makes it no answer, and tells no value', async () => {
  const rule = `package terraform.a.one

judged contains "x"

deny contains "never" if to_number(input.resource_changes[0].change.after.description) > 1
`
  put(policy, 'terraform/a/one/one.rego', rule)
  const secret = 'hunter2-in-clear'
  const path = put(folder, 'secret.json', JSON.stringify(planOf({ secret })))
  const { exitCode, stdout, stderr } = await judged(path)
  expect(stdout).toMatch(/one\.rego:5: eval_builtin_error: /)
  expect(`${stdout}${stderr}`).not.toContain(secret)
  expect(exitCode).toBe(2)
})

test.each([['main'], ['lib'], ['given']])('without %s/ nothing is green', async (name) => {
  rmSync(join(policy, name), { recursive: true })
  expect((await judged()).exitCode).toBe(2)
})

test('a folder without policies, and one that is not there, judge nothing', async () => {
  rmSync(policy, { recursive: true })
  expect((await judged()).exitCode).toBe(2)
  put(policy, 'notes.txt', 'nothing')
  expect((await judged()).exitCode).toBe(2)
})

test('a report that is undefined, not whole, or contradicts itself is none', async () => {
  for (const [main, words] of [
    ['package main', 'data.main.report is undefined'],
    ['package main\n\nreport := {"allow": true}', 'data.main.report is not whole'],
    [
      'package main\n\nreport := {"allow": true, "results": [], "defects": [], "answered": [], "waived": []}',
      'data.main.report contradicts itself',
    ],
  ] as const) {
    rmSync(join(policy, 'main/waivers.rego'), { force: true })
    put(policy, 'main/main.rego', main)
    await expectUnjudged(words)
  }
})

const waiver = {
  id: 'terraform.a.one',
  address: 'aws_kms_key.k',
  reason: 'The key is gone next week.',
  until: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, ''),
  by: 'platform',
}
const bad = put(folder, 'bad.json', JSON.stringify(planOf({ rotates: false })))
const waive = (entry: object) => put(policy, 'given/waivers/data.json', JSON.stringify([entry]))

test('a waiver lets its result through until it ends, and is told', async () => {
  waive(waiver)
  const { exitCode, stdout } = await judged(bad)
  expect(stdout).toContain(`waived by platform until ${waiver.until}: The key is gone next week.`)
  expect(exitCode).toBe(0)
  waive({ ...waiver, until: '2026-01-01T00:00:00Z' })
  expect((await judged(bad)).exitCode).toBe(1)
})

test.each([['reason'], ['until'], ['by']])('a waiver without %s is never green', async (word) => {
  waive({ ...waiver, [word]: undefined })
  await expectUnjudged(`waiver 1: ${word} is missing`)
})

test('a waiver of nothing warns', async () => {
  waive({ ...waiver, address: 'aws_kms_key.other' })
  const { exitCode, stdout } = await judged()
  expect(stdout).toContain('A waiver covers nothing: terraform.a.one, by platform')
  expect(exitCode).toBe(0)
})

test('a waiver that one of several documents needs is no news in the others', async () => {
  waive({ ...waiver, id: 'kubernetes.a.one', address: 'document' })
  const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\n`
  const pods = put(folder, 'pods.yaml', [pod('one'), pod('marked')].join('---\n'))
  const { exitCode, stdout } = await judge(['--policy', policy, '--apart', pods])
  expect(stdout).not.toContain('A waiver covers nothing')
  expect(exitCode).toBe(0)
})
