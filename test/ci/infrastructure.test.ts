import { expect, test } from 'bun:test'
import { join } from 'node:path'

// By names that are put together: TypeScript has no types for what Node runs.
const load = (name: string) =>
  import(join(import.meta.dir, '../../ci/infrastructure', `${name}.mjs`))
const { checkExplained, judgeExplained, readReports } = await load('checkov')
const { judgeKics, judgeRegal, judgeTrivy } = await load('elsewhere')
const { judgeConftest, judgeResources, judgeUnpinned } = await load('manifests')
const { documentsOf, isPinned, withDigest } = await load('render')
const { standAlone } = await load('schemas')

const texts = (findings: { text: string }[]) => findings.map(({ text }) => text)

test.each(['', '\n---\n', 'metadata: { name: x }\n'])('a rendering %j is not judged', (text) =>
  expect(() => documentsOf(text, 'prod')).toThrow(),
)

test('the documents of a rendering are told apart by its separators alone', () => {
  const one = 'apiVersion: v1\ndata:\n  a: |\n    ---\n    kind: Secret\nkind: ConfigMap\n'
  expect(documentsOf(`${one}---\napiVersion: apps/v1\nkind: Deployment\n`, 'prod')).toEqual([
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'apps/v1', kind: 'Deployment' },
  ])
})

test('a digest takes the place of none, and leaves one that is pinned', () => {
  const open = { text: 'image: a@sha256:not-pinned\n' }
  const pinned = { text: `image: a@sha256:${'a'.repeat(64)}\n` }
  expect([isPinned(open), isPinned(pinned)]).toEqual([false, true])
  expect(withDigest(open)).toBe(`image: a@sha256:${'0'.repeat(64)}\n`)
  expect(withDigest(pinned)).toBe(pinned.text)
})

test('a schema brings every definition along, also one that holds itself', () => {
  const definitions = {
    Spec: { properties: { next: { $ref: '/api/_definitions.json#/$defs/Spec' } } },
    Unused: {},
  }
  const schema = { $id: '/api/a.json', properties: { spec: { $ref: '/api/b.json#/$defs/Spec' } } }
  expect(standAlone(schema, definitions)).toEqual({
    properties: { spec: { $ref: '#/$defs/Spec' } },
    $defs: { Spec: { properties: { next: { $ref: '#/$defs/Spec' } } } },
  })
  expect(() => standAlone(schema, {})).toThrow()
})

const valid = { kind: 'Job', name: 'migrate', version: 'batch/v1', status: 'statusValid' }
const custom = (kind: string) => ({ ...valid, kind, version: 'a/v1', status: 'statusSkipped' })

test('no resource validated is no pass, nor are fewer than were rendered', () => {
  expect(() => judgeResources([], 0)).toThrow()
  expect(() => judgeResources([custom('A')], 1)).toThrow()
  expect(() => judgeResources([valid], 2)).toThrow()
})

test('a resource that is invalid is found, and one without a schema named', () => {
  const errors = [{ path: '/spec', msg: "additional properties 'x' not allowed" }]
  const invalid = { ...valid, status: 'statusInvalid', validationErrors: errors }
  const policy = {
    ...custom('ClusterImagePolicy'),
    version: 'policy.sigstore.dev/v1alpha1',
  }
  expect(judgeResources([valid, policy], 2)).toEqual({
    findings: [],
    notValidated: ['policy.sigstore.dev/v1alpha1 ClusterImagePolicy'],
  })
  const { findings } = judgeResources([invalid, custom('A')], 2)
  expect(findings).toEqual([
    expect.stringContaining('a/v1 A has no schema'),
    "Job/migrate: /spec: additional properties 'x' not allowed",
  ])
})

const result = (id: string) => ({
  msg: 'no',
  metadata: { id, severity: 'critical', address: 'Job/migrate' },
})

test('conftest that has judged less than every document has not judged', () => {
  expect(() => judgeConftest([], 1)).toThrow()
  expect(() => judgeConftest([{ filename: 'a.yaml', successes: 0 }], 1)).toThrow()
  expect(() => judgeConftest([{ filename: 'a.yaml', successes: 3 }], 2)).toThrow()
  expect(judgeConftest([{ filename: 'a.yaml', successes: 4 }], 2)).toEqual([])
})

test('what conftest denies and warns of is found', () => {
  const report = [
    { filename: '/x/a.yaml', failures: [result('a.b.c')], warnings: [result('d.e.f')] },
  ]
  expect(judgeConftest(report, 1)).toEqual([
    { severity: 'critical', text: 'a.yaml: a.b.c Job/migrate: no' },
    { severity: 'critical', text: 'a.yaml: d.e.f Job/migrate: no' },
  ])
})

test.each([
  [[], ['prod without a digest is refused by nothing']],
  [['kubernetes.pod.image'], []],
  [['kubernetes.pod.image', 'a.b.c'], [expect.stringContaining('a.b.c')]],
])('without a digest %j refuse, and what was expected does so alone', (ids, expected) => {
  const report = [{ successes: 1, failures: ids.map(result) }]
  expect(texts(judgeUnpinned('prod', report))).toEqual(expected)
})

const failed = (check: string, resource: string) => ({
  ...{ check_id: check, check_name: 'a name', resource, file_path: '/main.tf' },
})
const report = (summary: object, results: object = {}) => ({
  check_type: 'terraform',
  summary,
  results: { failed_checks: [], skipped_checks: [], parsing_errors: [], ...results },
})

test.each([
  ['nothing at all', { passed: 0, failed: 0, parsing_errors: 0 }],
  ['a framework that judged nothing', report({ passed: 0, failed: 0, skipped: 0 })],
  ['a file that it cannot read', report({ passed: 9 }, { parsing_errors: ['keys/variables.tf'] })],
])('checkov: %s is not judged', (_what, given) => {
  expect(() => readReports(given, ['terraform'])).toThrow()
})

test('checkov: what a comment in a file skips is found all the same', () => {
  const given = report({ passed: 1, skipped: 1 }, { skipped_checks: [failed('CKV_1', 'a.b')] })
  expect(readReports(given, ['terraform'])).toMatchObject([{ check: 'CKV_1', resource: 'a.b' }])
})

const finding = (check: string, resource: string, root = 'envs/dev') => ({
  ...{ check, resource, root, name: 'a name' },
})

test('an explanation holds for its check, its resource and its root, and for no other', () => {
  const because = 'a reason'
  const explained = [{ check: 'CKV_1', resource: 'module.m.a.b', root: 'envs/dev', because }]
  const judge = (...found: object[]) => judgeExplained(found, explained)
  expect(judge(finding('CKV_1', 'module.x.module.m["k"].a.b[0]'))).toEqual({
    explained: 1,
    findings: [],
  })
  for (const other of [
    finding('CKV_2', 'module.m.a.b'),
    finding('CKV_1', 'module.other_m.a.b'),
    finding('CKV_1', 'module.m.a.bc'),
    finding('CKV_1', 'module.m.a.b', 'envs/prod'),
  ]) {
    const { findings } = judge(other)
    expect(texts(findings)).toEqual([
      `${other.check} at ${other.resource} of ${other.root}: a name`,
      'ci/checkov.yaml explains CKV_1 at module.m.a.b, which is not found',
    ])
  }
})

test.each([
  [{ check: 'CKV_1', resource: 'a' }],
  [{ check: 'CKV_1', resource: 'a', because: '' }],
  [{ check: 'CKV_1', because: 'a reason' }],
  [{ check: 'CKV_1', resource: 'a', because: 'a reason', until: '2030-01-01' }],
])('%j explains nothing', (entry) => expect(() => checkExplained([entry])).toThrow())

test('trivy, kics and regal have judged nothing where they have read nothing', () => {
  expect(() => judgeTrivy({ Results: [{ Target: 'a', MisconfSummary: {} }] })).toThrow()
  expect(() => judgeKics({ files_parsed: 0, queries: [] })).toThrow()
  expect(() => judgeKics({ files_parsed: 9, files_failed_to_scan: 1 })).toThrow()
  expect(() => judgeRegal({ violations: [], summary: { files_scanned: 0 } })).toThrow()
})

test('what trivy, kics and regal find is told with its place', () => {
  const misconfigurations = [
    { ID: 'AVD-1', Status: 'FAIL', Severity: 'HIGH', Title: 'open' },
    { ID: 'AVD-2', Status: 'PASS', Severity: 'HIGH', Title: 'shut' },
  ]
  const target = {
    Target: 'main.tf',
    MisconfSummary: { Successes: 1, Failures: 1 },
    Misconfigurations: misconfigurations,
  }
  expect(judgeTrivy({ Results: [target] })).toEqual([
    { severity: 'high', text: 'AVD-1 in main.tf: open' },
  ])
  const query = { query_name: 'open', severity: 'CRITICAL', files: [{ file_name: 'a', line: 3 }] }
  expect(judgeKics({ files_parsed: 1, queries: [query] })).toEqual([
    { severity: 'critical', text: 'open in a:3' },
  ])
  const violation = { title: 'a-rule', level: 'error', location: { file: 'a.rego', row: 3 } }
  expect(judgeRegal({ summary: { files_scanned: 1 }, violations: [violation] })).toEqual([
    { severity: 'high', text: 'a-rule in a.rego:3' },
  ])
})
