import { expect, test } from 'bun:test'
import { judgePlan } from '#core/drift/findings.ts'
import { judgeSource } from '#core/drift/judge-source.ts'
import { readPlan } from '#core/drift/read-plan.ts'
import { bytesOf, planCases, planOf, readCase, resource } from './plan-fixtures.ts'

test.each(planCases)('the plan %s comes to what is written beside it', async (name) => {
  const { plan, expected } = readCase(name)
  const { verdict, findings } = await judgeSource('plan', async () => ({ plan }))
  const told = verdict === 'error' ? [] : findings
  expect({
    verdict,
    findings: told.map(({ address, attribute, kind }) => [address, attribute, kind]),
  }).toEqual(expected)
})

const judge = (changes: Readonly<Record<string, unknown>>) =>
  judgePlan(readPlan(bytesOf(planOf(changes))))
const drift = (...args: Parameters<typeof resource>) =>
  judge({ resource_drift: [resource(...args)] })
const pairs = (verdict: ReturnType<typeof judge>) =>
  verdict.findings.map(({ address, attribute, kind }) => [address, attribute, kind])

test.each([
  ['null', null, []],
  ['null', null, {}],
  ['null', null, ''],
  ['null', null, false],
  ['nothing', undefined, { a: null, b: [{ c: '' }] }],
  ['a list of nothing', [''], []],
])('%s became %p, which is noise', (_name, before, after) => {
  const { verdict, noise } = drift('aws_vpc.main', ['update'], { tags: before }, { tags: after })
  expect([verdict, noise.length]).toEqual(['noise', 1])
})

test.each([
  ['true', true, false],
  ['false', false, true],
  ['a number', 400, 0],
  ['nothing', null, 0],
  ['a text', 'x', ''],
  ['an order', ['a', 'b'], ['b', 'a']],
])('%s became another, which is none', (_name, before, after) => {
  const found = drift('aws_lb.main', ['update'], { internal: before }, { internal: after })
  expect(pairs(found)).toEqual([['aws_lb.main', 'internal', 'drift']])
})

const group = (ingress: readonly unknown[]) => ({ id: 'sg-1', ingress })
const rule = (changes: Readonly<Record<string, unknown>> = {}) => ({
  ...{ cidr_blocks: ['10.0.0.0/8'], from_port: 443, to_port: 443, protocol: 'tcp' },
  ...{ ipv6_cidr_blocks: [], security_groups: [], self: false, prefix_list_ids: [] },
  ...changes,
})
const own = {
  ...{ security_group_id: 'sg-1', cidr_ipv4: '10.0.0.0/8', ip_protocol: 'tcp' },
  ...{ from_port: 443, to_port: 443 },
}
const older = { ...rule(), type: 'ingress', security_group_id: 'sg-1' }

test.each([
  ['a rule of its own', 'aws_vpc_security_group_ingress_rule.a', own, [rule()]],
  ['a rule of the older kind', 'aws_security_group_rule.a', older, [rule()]],
  [
    'a rule that names the group itself',
    'aws_vpc_security_group_ingress_rule.a',
    { ...own, cidr_ipv4: null, referenced_security_group_id: 'sg-1' },
    [rule({ cidr_blocks: [], self: true })],
  ],
  [
    'all protocols, whose ports are written in two ways',
    'aws_vpc_security_group_ingress_rule.a',
    { ...own, ip_protocol: '-1', from_port: null, to_port: null },
    [rule({ protocol: '-1', from_port: 0, to_port: 0 })],
  ],
])('a group that only repeats %s is noise', (_name, address, values, ingress) => {
  const plan = {
    resource_drift: [resource('aws_security_group.app', ['update'], group([]), group(ingress))],
    resource_changes: [resource(address, ['no-op'], values, values)],
  }
  expect(judge(plan).verdict).toBe('noise')
})

test.each([
  ['a rule that is only planned', ['create'], null, own],
  ['a rule of another group', ['no-op'], { ...own, security_group_id: 'sg-2' }, own],
  ['a rule of another port', ['no-op'], { ...own, to_port: 444 }, own],
  ['a rule of fewer addresses', ['no-op'], { ...own, cidr_ipv4: '10.0.0.0/9' }, own],
])('%s explains no open port', (_name, actions, before, after) => {
  const plan = {
    resource_drift: [resource('aws_security_group.app', ['update'], group([]), group([rule()]))],
    resource_changes: [resource('aws_vpc_security_group_ingress_rule.a', actions, before, after)],
  }
  expect(pairs(judge(plan))).toContainEqual(['aws_security_group.app', 'ingress', 'drift'])
})

test('one strange rule among managed ones is drift, and open to everybody is critical', () => {
  const strange = rule({ cidr_blocks: ['0.0.0.0/0'], from_port: 22, to_port: 22 })
  const { findings } = judge({
    resource_drift: [
      resource('aws_security_group.app', ['update'], group([]), group([rule(), strange])),
    ],
    resource_changes: [resource('aws_vpc_security_group_ingress_rule.a', ['no-op'], own, own)],
  })
  expect(findings).toMatchObject([{ attribute: 'ingress', severity: 'critical' }])
})

test('a bucket’s own copy is noise only where the resource that it repeats is managed', () => {
  const bucket = resource(
    'aws_s3_bucket.a',
    ['update'],
    { id: 'a', policy: '' },
    { id: 'a', policy: '{}' },
  )
  const policy = { bucket: 'a', policy: '{}' }
  const managed = [resource('aws_s3_bucket_policy.a', ['no-op'], policy, policy)]
  expect(judge({ resource_drift: [bucket], resource_changes: managed }).verdict).toBe('noise')
  expect(judge({ resource_drift: [bucket] }).verdict).toBe('drift')
  const other = [resource('aws_s3_bucket_policy.b', ['no-op'], { bucket: 'b' }, { bucket: 'b' })]
  expect(judge({ resource_drift: [bucket], resource_changes: other }).verdict).toBe('drift')
})

test('what a plan takes back is told once, and what follows from it not at all', () => {
  const found = judge({
    resource_drift: [
      resource(
        'aws_kms_key.a',
        ['update'],
        { enable_key_rotation: true },
        { enable_key_rotation: false },
      ),
      resource('aws_secretsmanager_secret.a', ['delete'], { arn: 'x' }, null),
    ],
    resource_changes: [
      resource(
        'aws_kms_key.a',
        ['update'],
        { enable_key_rotation: false },
        { enable_key_rotation: true },
      ),
      resource('aws_secretsmanager_secret.a', ['create'], null, {}),
      resource(
        'aws_iam_policy.a',
        ['update'],
        { policy: '{}' },
        {},
        { after_unknown: { policy: true } },
      ),
    ],
  })
  expect(pairs(found)).toEqual([
    ['aws_kms_key.a', 'enable_key_rotation', 'drift'],
    ['aws_secretsmanager_secret.a', '*', 'gone'],
  ])
})

test.each([
  ['create', ['create'], null, {}, '*'],
  ['delete', ['delete'], {}, null, '*'],
  ['replace', ['delete', 'create'], { a: 1 }, { a: 2 }, '*'],
  ['forget', ['forget'], {}, null, '*'],
  ['update', ['update'], { a: 1, b: 1 }, { a: 1, b: 2 }, 'b'],
])('what is configured and not applied is a change: %s', (_name, actions, before, after, of) => {
  const found = judge({ resource_changes: [resource('terraform_data.a', actions, before, after)] })
  expect([found.verdict, ...pairs(found)]).toEqual(['drift', ['terraform_data.a', of, 'change']])
})

test('a value that only the apply knows is told where nothing else explains it', () => {
  const unknown = resource(
    'terraform_data.a',
    ['update'],
    { input: 1 },
    {},
    { after_unknown: { input: true } },
  )
  expect(pairs(judge({ resource_changes: [unknown] }))).toEqual([
    ['terraform_data.a', 'input', 'change'],
  ])
})

test('data sources and reads are no resources of ours', () => {
  const read = { ...resource('data.aws_iam_policy_document.a', ['read'], null, {}), mode: 'data' }
  const change = [resource('aws_vpc.main', ['no-op'], {}, {}), read]
  expect(judge({ resource_changes: change, resource_drift: [read] }).verdict).toBe('clean')
})

test.each([
  ['a password', 'password', {}],
  ['a value that is marked', 'user_data', { after_sensitive: { user_data: true } }],
  ['a value that was marked', 'user_data', { before_sensitive: { user_data: [{ x: true }] } }],
  ['a resource that is marked whole', 'user_data', { after_sensitive: true }],
])('of %s not even a hash is told', (_name, attribute, marks) => {
  const [before, after] = [{ [attribute]: 'hunter2' }, { [attribute]: 'hunter3' }]
  const { findings } = drift('aws_instance.a', ['update'], before, after, marks)
  expect(findings[0]?.summary).toEndWith(`${attribute} changed outside Terraform: values not shown`)
})

test('values are told as hashes, but for what opens nothing', () => {
  const { findings } = drift(
    'aws_cloudwatch_log_group.a',
    ['update'],
    { kms_key_id: 'arn:old', retention_in_days: 400, skip_destroy: true },
    { kms_key_id: 'arn:new', retention_in_days: 7, skip_destroy: false },
  )
  expect(findings.map(({ summary }) => summary.replace(/^.*Terraform: /, ''))).toEqual([
    expect.stringMatching(/^kms_key_id #[0-9a-f]{12} → #[0-9a-f]{12}$/),
    'retention_in_days 400 → 7',
    'skip_destroy true → nothing',
  ])
})

test('a secret deep inside is not told either', () => {
  const of = (token: string) => ({ setting: [{ name: 'x', auth_token: token }] })
  const { findings } = drift('aws_x.a', ['update'], of('hunter2'), of('hunter3'))
  expect(findings[0]?.summary).not.toMatch(/hunter|#/)
})

test('what goes to a terminal and into Postgres has no control characters', () => {
  const [before, after] = [{ cidr_ipv4: 'a' }, { cidr_ipv4: '\u001b[2J\u0000\ud800' }]
  const { findings } = drift('aws_x.a', ['update'], before, after)
  expect(findings[0]?.summary).toEndWith('cidr_ipv4 a → ?[2J?\ufffd')
})
