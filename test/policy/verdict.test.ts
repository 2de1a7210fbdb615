import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge, planOf, put, standInPolicy } from './stand-in-policy.ts'

const root = join(import.meta.dir, '../..')
const folder = mkdtempSync(join(tmpdir(), 'postern-policy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const policy = standInPolicy(folder)
const judged = (...args: string[]) => judge(['--policy', policy, ...args])

const plan = (name: string, content: unknown) => put(folder, name, JSON.stringify(content))
const good = plan('good.json', planOf())
const bad = plan('bad.json', planOf({ rotates: false }))
const unknown = plan('unknown.json', planOf({ rotates: 'unknown' }))

const unjudged: [string, string, string][] = [
  ['an empty file', 'empty.json', ''],
  ['white space', 'blank.json', ' \n'],
  ['a plan that is cut off', 'cut.json', JSON.stringify(planOf()).slice(0, -40)],
  ['two plans in one file', 'two.json', `${JSON.stringify(planOf())}${JSON.stringify(planOf())}`],
  ['null', 'null.json', 'null'],
  ['an empty object', 'object.json', '{}'],
  ['an empty plan', 'no-change.json', JSON.stringify({ ...planOf(), resource_changes: [] })],
  ['a plan that failed', 'errored.json', JSON.stringify({ ...planOf(), errored: true })],
  ['a plan of a part', 'part.json', JSON.stringify({ ...planOf(), complete: false })],
  ['a format to come', 'later.json', JSON.stringify({ ...planOf(), format_version: '2.0' })],
  ['a state', 'state.json', JSON.stringify({ ...planOf(), resource_changes: undefined })],
  ['a plan for nowhere', 'nowhere.json', planFor('nowhere')],
  ['a plan in a list', 'list.json', JSON.stringify([planOf()])],
  ['a Terraform file in JSON', 'main.tf.json', '{"terraform":{}}'],
  ['a list of Kubernetes', 'list.yaml', 'apiVersion: v1\nkind: List\nitems: []\n'],
  ['a manifest of two kinds', 'both.yaml', 'apiVersion: v1\nkind: Pod\nservices: {}\n'],
  ['YAML of no kind', 'other.yaml', 'a: 1\n'],
  ['YAML that is none', 'broken.yaml', 'a: [1\n'],
  ['YAML of comments', 'comments.yaml', '# nothing\n---\n# more\n'],
  ['YAML with line breaks of its own', 'breaks.yaml', 'services: {}\u2028---\u2028a: 1\n'],
  ['a Dockerfile without an instruction', 'Dockerfile', '# nothing\n'],
  ['a Dockerfile that is none', 'Dockerfile.other', 'hello\n'],
  ['HCL that is none', 'broken.tf', 'terraform {'],
  ['HCL without a backend', 'empty.tf', '# nothing\n'],
  ['a kind that has no rule', 'notes.txt', 'hello'],
]

function planFor(environment: string) {
  return JSON.stringify({ ...planOf(), variables: { environment: { value: environment } } })
}

test.each(unjudged)('%s is not judged, and never green', async (_what, name, text) => {
  const { exitCode, stdout } = await judged(put(folder, name, text))
  expect(stdout).toContain('NOT JUDGED')
  expect(exitCode).toBe(2)
})

test('what is not there, a folder, and bytes that are no text are not judged', async () => {
  const binary = put(folder, 'plan.bin.json', '')
  await Bun.write(binary, new Uint8Array([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe]))
  for (const path of [join(folder, 'absent.json'), folder, binary]) {
    expect((await judged(path)).exitCode).toBe(2)
  }
})

test('one file that cannot be judged outweighs every verdict on the others', async () => {
  const { exitCode, stdout } = await judged(good, bad, join(folder, 'absent.json'))
  expect(stdout).toContain('1 could not be judged, 1 denials besides')
  expect(exitCode).toBe(2)
})

test('a plan that a rule refuses is denied, and one that none refuses allowed', async () => {
  expect(await judged(good)).toMatchObject({ exitCode: 0, stderr: '' })
  const { exitCode, stdout } = await judged(good, bad)
  expect(stdout).toMatch(/terraform\.a\.one +high +fail +aws_kms_key\.k +Keys rotate: it does not/)
  expect(exitCode).toBe(1)
})

test('what is not known yet denies, but for dev', async () => {
  expect((await judged(unknown)).exitCode).toBe(1)
  const dev = { ...planOf({ rotates: 'unknown' }), variables: { environment: { value: 'dev' } } }
  expect((await judged(plan('dev.json', dev))).exitCode).toBe(0)
})

test('a plan that is for another environment than was asked is not judged', async () => {
  expect((await judged(good, '--environment', 'prod')).exitCode).toBe(0)
  expect((await judged(good, '--environment', 'dev')).exitCode).toBe(2)
  expect((await judged(good, '--environment', 'x" as 1')).exitCode).toBe(2)
})

test('--fail-on lets through what is less grave, and says so', async () => {
  expect((await judged(bad, '--fail-on', 'high')).exitCode).toBe(1)
  const { exitCode, stdout } = await judged(bad, '--fail-on', 'critical')
  expect(stdout).toContain('1 below --fail-on critical are not counted')
  expect(exitCode).toBe(0)
})

test('--fail-on lets nothing through that could not be judged', async () => {
  const errored = plan('errored-high.json', { ...planOf(), errored: true })
  expect((await judged(errored, '--fail-on', 'critical')).exitCode).toBe(2)
})

test.each([
  ['compose', 'compose.yaml', 'services:\n  a: { image: %s }\n'],
  ['workflow', 'ci.yml', 'on: push\njobs:\n  a: { name: %s }\n'],
  ['kubernetes', 'pod.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: { name: %s }\n'],
  ['docker', 'Dockerfile.distroless', 'FROM %s\n'],
  ['backend', 'backend.tf', 'terraform {\n  backend "s3" {\n    key = "%s"\n  }\n}\n'],
  ['sbom', 'bom.json', '{"bomFormat":"CycloneDX","name":"%s"}'],
])('%s is judged by its own rules', async (kind, name, text) => {
  const path = (word: string) => put(folder, `${word}/${name}`, text.replace('%s', word))
  const clean = await judged(path('clean'))
  expect(clean.stdout).toContain(`(${kind})`)
  expect(clean.exitCode).toBe(0)
  expect((await judged(path('marked'))).exitCode).toBe(1)
})

test.each([
  ['---'],
  ['--- # a comment, at which conftest loses the document'],
  ['---\t'],
  ['...\n---'],
])('no document of a YAML file is lost behind %j', async (mark) => {
  const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\n`
  const text = [pod('one'), pod('marked'), pod('three')].join(`${mark}\n`)
  const { exitCode, stdout } = await judged(put(folder, 'pods.yaml', text))
  expect(stdout).toContain('pods.yaml, document 3')
  expect(exitCode).toBe(1)
})

test('manifests are judged together as well, unless they are said to be no whole deployment', async () => {
  const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\n`
  const one = put(folder, 'one.yaml', pod('one'))
  const two = put(folder, 'two.yaml', pod('two'))
  const together = await judged(one, two)
  expect(together.stdout).toContain('2 documents of Kubernetes together (cluster)')
  expect(together.exitCode).toBe(0)
  const apart = await judged(one, two, '--apart')
  expect(apart.stdout).not.toContain('together')
  expect(apart.exitCode).toBe(0)
})

test('each manifest of a list in JSON is judged by itself', async () => {
  const pods = ['one', 'marked'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
  }))
  const { exitCode, stdout } = await judged(put(folder, 'pods.json', JSON.stringify(pods)))
  expect(stdout).toContain('pods.json, document 2 (kubernetes)')
  expect(exitCode).toBe(1)
})

test('a plan can come through a pipe', async () => {
  const read = (text: string) => judge(['--policy', policy, '-'], text)
  expect((await read(JSON.stringify(planOf()))).exitCode).toBe(0)
  expect((await read(JSON.stringify(planOf({ rotates: false })))).exitCode).toBe(1)
  expect((await read('')).exitCode).toBe(2)
})

const imageRule = 'policy/fixtures/plans/terraform.ecs.image/unknown_empty_list/plan.json'

test.each([
  ['nobody has verified any', [], ['unknown']],
  ['another one was verified', ['1'], ['fail']],
  ['it was verified', ['1', '0'], []],
])('an image of a plan, where %s', async (_, digits, verdicts) => {
  const signed = digits.flatMap((digit) => ['--signed', `sha256:${digit.repeat(64)}`])
  const { stdout } = await judge([...signed, '--json', join(root, imageRule)])
  const { results } = JSON.parse(stdout).files[0].report
  const ofImage = results.filter(({ id }: { id: string }) => id === 'terraform.ecs.image')
  expect(ofImage.map(({ verdict }: { verdict: string }) => verdict)).toEqual(verdicts)
})

test.each([
  [[]],
  [['--signed', 'latest', 'x.json']],
  [['--nonsense', 'x.json']],
  [['--fail-on', 'some', 'x.json']],
  [['-', '-']],
  [['--environment']],
])('%j is wrong use', async (args) => {
  const { exitCode, stderr } = await judge(args)
  expect(stderr).toStartWith('usage: ci/policy')
  expect(exitCode).toBe(64)
})

test('--help says how it is used', async () => {
  const { exitCode, stdout } = await judge(['--help'])
  expect(stdout).toStartWith('usage: ci/policy')
  expect(exitCode).toBe(0)
})
