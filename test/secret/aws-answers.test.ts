import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type AwsDouble, awsDouble } from '../doubles/aws-double.ts'
import { canary, freshName, rotation } from './store-contract.ts'

const credentials = { accessKeyId: 'test', secretAccessKey: canary }
let double: AwsDouble
let store: SecretStore
const open = (prefix = '') =>
  awsSecretStore({ region: 'eu-central-1', credentials, endpoint: double.url, prefix })
beforeAll(() => {
  double = awsDouble()
  store = open()
})
afterEach(() => {
  double.clear()
  double.denied.clear()
})
afterAll(() => double.stop())

const isFor = (action: string) => (request: Request) =>
  request.headers.get('x-amz-target') === `secretsmanager.${action}`
const stage = (name: string, url: string, id = rotation()) =>
  store.stage(name, { members: { url }, rotation: id })
async function staged() {
  const name = freshName()
  const first = await stage(name, 'one')
  return { name, first, second: await stage(name, 'two') }
}
const failure = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'no failure',
    (error: unknown) => error,
  )

test('a name that is no secret name never leaves: not an address, not a path, not a capital', async () => {
  double.clear()
  for (const name of ['arn:aws:secretsmanager:eu-central-1:1:secret:x', '../x', 'Database', '']) {
    await expect(store.read(name, rotation())).rejects.toMatchObject({ code: 'secret.not_found' })
    await expect(stage(name, 'one')).rejects.toMatchObject({ code: 'secret.refused' })
  }
  expect(double.requests).toEqual([])
})

test('an endpoint in the environment is not asked: ours is a setting, or the region’s own', async () => {
  double.clear()
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SECRETS_MANAGER']) {
    process.env[name] = double.url
    try {
      // Of a region that is not, so that there is no host of that name.
      await failure(awsSecretStore({ region: 'test-nowhere-1', credentials }).check())
    } finally {
      delete process.env[name]
    }
  }
  expect(double.requests).toEqual([])
  // Where no name server answers, each of the two takes its time.
}, 60_000)

test.each([
  ['GetSecretValue', (name: string, version: string) => store.read(name, version)],
  ['DescribeSecret', (name: string) => store.currentVersion(name)],
  ['ListSecretVersionIds', (name: string) => store.versions(name)],
  ['ListSecrets', () => store.list()],
  ['CreateSecret', () => stage(freshName(), canary)],
  ['PutSecretValue', (name: string) => stage(name, canary)],
  ['UpdateSecretVersionStage', (name: string, version: string) => store.disable(name, version)],
])(
  'a role without %s is an outage that names it, and nothing else of the answer',
  async (action, ask) => {
    const { name, second } = await staged()
    double.denied.add(action)
    const error = await failure(ask(name, second))
    expect(error).toMatchObject({
      code: 'secret.unavailable',
      reason: `AWS ${action}: the role lacks secretsmanager:${action}`,
    })
  },
)

test('a role that may read nothing but its own secrets is let in, one that AWS does not know is not', async () => {
  double.denied.add('GetSecretValue')
  await store.check()
  double.denied.clear()
  const body = JSON.stringify({ __type: 'UnrecognizedClientException', message: '' })
  double.strike({ kind: 'answer', status: 400, body })
  expect(await failure(store.check())).toMatchObject({ code: 'secret.unavailable' })
})

test.each([
  ['ThrottlingException', 'throttled'],
  ['AccessDeniedException', 'the role lacks the use of the KMS key'],
  ['InvalidRequestException', 'is it scheduled for deletion?'],
  ['DecryptionFailure', 'KMS key'],
  ['UnrecognizedClientException', 'credentials are refused'],
  ['ExpiredTokenException', 'credentials are refused'],
  ['SomethingNewException', 'answered 400'],
  [canary, 'answered 400'],
])(
  '%s is an outage that says what to look at, without what the service says',
  async (type, reason) => {
    const { name, first } = await staged()
    double.clear()
    const body = JSON.stringify({ __type: type, message: `KMS ${canary}` })
    double.strike({ kind: 'answer', status: 400, body })
    const error = await failure(store.read(name, first))
    expect(error).toMatchObject({ code: 'secret.unavailable' })
    expect(error).toMatchObject({ reason: expect.stringContaining(reason) })
    expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
    // Neither a refusal nor throttling is tried again, so that one strike was enough.
    expect(double.requests).toHaveLength(1)
  },
)

test('an answer that calls itself what a broken connection is called here is not repeated either', async () => {
  const { name, first } = await staged()
  const body = JSON.stringify({ __type: 'TimeoutError', message: canary })
  double.strike({ kind: 'answer', status: 400, body }, { times: 2 })
  const error = await failure(store.read(name, first))
  expect(error).toMatchObject({ reason: 'AWS GetSecretValue: answered 400' })
  expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
})

test('a server that fails is asked twice in all, and a call that the second answers is served', async () => {
  const { name, first } = await staged()
  double.clear()
  double.strike({ kind: 'answer', status: 503 }, { times: 10 })
  await expect(store.read(name, first)).rejects.toMatchObject({ code: 'secret.unavailable' })
  expect(double.requests).toHaveLength(2)
  for (const kind of ['torn', 'lost'] as const) {
    double.clear()
    double.strike({ kind })
    expect(await store.read(name, first)).toEqual({ url: 'one' })
  }
})

const action = ['CreateSecret', 'PutSecretValue'] as const
test.each(action.flatMap((one) => [1, 2, 3, 4].map((times) => [one, times] as const)))(
  '%s done, and its first %d answers lost: staged again it is one version with the first value',
  async (lost, times) => {
    const name = freshName()
    if (lost === 'PutSecretValue') await stage(name, 'one')
    const id = rotation()
    double.strike({ kind: 'lost' }, { times, isMeant: isFor(lost) })
    const outcome = await failure(stage(name, 'new', id))
    if (times > 1) expect(outcome).toMatchObject({ code: 'secret.unavailable' })
    expect(await stage(name, 'another', id).catch(() => stage(name, 'another', id))).toBe(id)
    expect(await store.read(name, id)).toEqual({ url: 'new' })
    expect(await store.versions(name)).toHaveLength(lost === 'CreateSecret' ? 1 : 2)
  },
)

test.each([1, 2, 3, 4, 5])(
  'a promotion that lost %d of its answers is finished by being repeated',
  async (times) => {
    const { name, first, second } = await staged()
    const ids = { version: second, previous: first }
    double.strike({ kind: 'lost' }, { times, isMeant: isFor('UpdateSecretVersionStage') })
    while ((await failure(store.promote(name, ids))) !== 'no failure');
    expect(await store.currentVersion(name)).toBe(second)
    const versions = await store.versions(name)
    expect(versions.map(({ isEnabled, isPending }) => ({ isEnabled, isPending }))).toEqual([
      { isEnabled: true, isPending: false },
      { isEnabled: true, isPending: false },
    ])
  },
)

test('two that make a name at once make one secret with both versions', async () => {
  const name = freshName()
  const ids = [rotation(), rotation(), rotation()]
  expect(await Promise.all(ids.map((id) => stage(name, id, id)))).toEqual(ids)
  for (const id of ids) expect(await store.read(name, id)).toEqual({ url: id })
})

test('a secret that is scheduled for deletion is an outage whatever is asked of it', async () => {
  const { name, first, second } = await staged()
  double.secrets.scheduleDeletion(name)
  const asked = [
    store.read(name, first),
    store.versions(name),
    store.currentVersion(name),
    stage(name, 'three'),
    store.promote(name, { version: second, previous: first }),
    store.disable(name, second),
  ]
  // All are heard at once: the last may fail first.
  for (const error of await Promise.all(asked.map(failure))) {
    expect(error).toMatchObject({ code: 'secret.unavailable' })
    expect(error).toMatchObject({ reason: expect.stringContaining('scheduled for deletion') })
  }
  expect(await store.list()).not.toContain(name)
})

test('the answer about another version or another secret is none, and neither is one without a text', async () => {
  const { name, first, second } = await staged()
  const right = { Name: name, VersionId: first, VersionStages: ['AWSCURRENT'] }
  const SecretString = JSON.stringify({ url: canary })
  for (const body of [
    { ...right, SecretString, VersionId: second },
    { ...right, SecretString, Name: freshName() },
    { ...right, SecretBinary: btoa(SecretString) },
    { ...right, SecretString: canary },
  ]) {
    double.strike({ kind: 'answer', status: 200, body: JSON.stringify(body) })
    const error = await failure(store.read(name, first))
    expect(error).toMatchObject({ code: 'secret.unavailable' })
    expect(`${JSON.stringify(error)} ${Bun.inspect(error)}`).not.toContain(canary)
  }
})

test('a prefix keeps stores apart, and others’ names are in no list', async () => {
  const [ours, theirs] = [open('production/'), open('staging/')]
  const id = rotation()
  await ours.stage('a/b', { members: { url: 'ours' }, rotation: id })
  for (const foreign of [
    'production/Capital',
    'production/dots.in',
    'rds!cluster',
    'productiona',
  ]) {
    double.secrets.create(foreign, rotation(), '{}')
  }
  expect(await ours.list()).toEqual(['a/b'])
  expect(await theirs.list()).toEqual([])
  expect(await store.read('production/a/b', id)).toEqual({ url: 'ours' })
  await expect(theirs.read('a/b', id)).rejects.toMatchObject({ code: 'secret.not_found' })
})

test('what does not fit on a page is read on: 250 versions and 250 names, of 1,100 the first 1,000', async () => {
  const name = freshName()
  await stage(name, 'one')
  for (let count = 1; count < 250; count += 1) double.secrets.put(name, rotation(), '{}', [])
  expect(await store.versions(name)).toHaveLength(250)
  const many = open('many/')
  for (let count = 0; count < 50; count += 1)
    double.secrets.create(`many/X${count}`, rotation(), '{}')
  for (let count = 0; count < 250; count += 1) {
    double.secrets.create(`many/${count}`, rotation(), '{}')
  }
  expect(new Set(await many.list()).size).toBe(250)
  for (let count = 250; count < 1_100; count += 1) {
    double.secrets.create(`many/${count}`, rotation(), '{}')
  }
  expect(await many.list()).toHaveLength(1_000)
})
