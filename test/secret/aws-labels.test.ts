import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type AwsDouble, awsDouble } from '../doubles/aws-double.ts'
import { labelsOf } from '../doubles/aws-secrets.ts'
import { rotation } from './store-contract.ts'

const name = 'postern/database'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const doubles: AwsDouble[] = []
afterAll(() => Promise.all(doubles.map((double) => double.stop())))

function open(losesLabels: boolean): { double: AwsDouble; store: SecretStore } {
  const double = awsDouble({ losesLabels })
  doubles.push(double)
  const store = awsSecretStore({ region: 'eu-central-1', credentials, endpoint: double.url })
  return { double, store }
}

describe.each([
  ['keeps', false],
  ['loses', true],
])('where a version that is current no more %s other labels,', (_, losesLabels) => {
  let double: AwsDouble
  let store: SecretStore
  beforeEach(() => {
    ;({ double, store } = open(losesLabels))
  })
  const stage = (url: string) => store.stage(name, { members: { url }, rotation: rotation() })
  const labels = (version: string) => labelsOf(double.secrets.found(name), version).toSorted()
  const kept = (version: string) => `POSTERN_KEPT_${version}`
  /** As a person does it on the console. */
  function putByHand(url: string): string {
    const version = rotation()
    const value = JSON.stringify({ url })
    if (double.secrets.names().includes(name)) {
      double.secrets.put(name, version, value, ['AWSCURRENT'])
    } else double.secrets.create(name, version, value)
    return version
  }

  test('the current version cannot be disabled, and stays what it is', async () => {
    const first = await stage('one')
    const before = labels(first)
    await expect(store.disable(name, first)).rejects.toMatchObject({ code: 'secret.refused' })
    expect(labels(first)).toEqual(before)
    expect(await store.read(name, first)).toEqual({ url: 'one' })
  })

  test('a version that was disabled is not promoted', async () => {
    const first = await stage('one')
    const second = await stage('two')
    await store.disable(name, second)
    const promoted = store.promote(name, { version: second, previous: first })
    await expect(promoted).rejects.toMatchObject({ code: 'secret.disabled' })
    expect(await store.currentVersion(name)).toBe(first)
  })

  test('a version that was current three promotions ago is still read, whoever put it there', async () => {
    const byHand = putByHand('one')
    const versions = [byHand]
    for (const url of ['two', 'three', 'four']) {
      const version = await stage(url)
      await store.promote(name, { version, previous: versions.at(-1) ?? '' })
      versions.push(version)
    }
    expect(await store.read(name, byHand)).toEqual({ url: 'one' })
    expect((await store.versions(name)).map(({ version }) => version)).toEqual(versions.reverse())
    expect((await store.versions(name)).every(({ isEnabled }) => isEnabled)).toBe(true)
  })

  test('what people made current before us stays enabled when we promote', async () => {
    const oldest = putByHand('one')
    const older = putByHand('two')
    const version = await stage('three')
    await store.promote(name, { version, previous: older })
    expect(await store.read(name, oldest)).toEqual({ url: 'one' })
    expect(labels(older)).toContain('AWSPREVIOUS')
  })

  test('one that lost its labels to other tools is disabled, as AWS has it', async () => {
    const [first, second, third] = [putByHand('one'), putByHand('two'), putByHand('three')]
    await expect(store.read(name, first)).rejects.toMatchObject({ code: 'secret.disabled' })
    expect(await store.read(name, second)).toEqual({ url: 'two' })
    expect(await store.currentVersion(name)).toBe(third)
  })

  test('disabled means that no label is left, those of other people included', async () => {
    const first = await stage('one')
    const second = await stage('two')
    double.secrets.relabel(name, 'PINNED', { from: undefined, to: first })
    await store.promote(name, { version: second, previous: first })
    await store.disable(name, first)
    expect(labels(first)).toEqual([])
    expect(labels(second)).toEqual(['AWSCURRENT', kept(second)])
  })

  test('forty stagings stay below the twenty labels of a secret: the oldest go, what is current stays', async () => {
    const first = await stage('0')
    const second = await stage('1')
    await store.promote(name, { version: second, previous: first })
    const later: string[] = []
    for (let index = 2; index < 40; index += 1) later.push(await stage(`${index}`))
    expect(double.secrets.found(name).labels.size).toBeLessThanOrEqual(13)
    expect(await store.read(name, first)).toEqual({ url: '0' })
    expect(await store.currentVersion(name)).toBe(second)
    expect(labels(second)).toEqual(['AWSCURRENT', kept(second)])
    for (const version of later.slice(-8)) expect(await store.read(name, version)).toBeObject()
    await expect(store.read(name, later[0] ?? '')).rejects.toMatchObject({
      code: 'secret.disabled',
    })
  })

  test('a promotion that the store never heard of is made up for by the next', async () => {
    const [first, second, third] = [await stage('one'), await stage('two'), await stage('three')]
    await store.promote(name, { version: third, previous: second })
    expect(labels(third)).toContain('AWSCURRENT')
    expect(labels(second)).toContain('AWSPREVIOUS')
    expect(await store.read(name, first)).toEqual({ url: 'one' })
  })

  test('a promotion whose predecessor was disabled takes the place of what is current', async () => {
    const [first, second, third] = [await stage('one'), await stage('two'), await stage('three')]
    await store.disable(name, second)
    await store.promote(name, { version: third, previous: second })
    expect(await store.currentVersion(name)).toBe(third)
    expect(labels(first)).toContain('AWSPREVIOUS')
    expect(labels(second)).toEqual([])
  })

  test('a version is pending from its staging to its promotion; repeating that calls no change', async () => {
    const pending = async () =>
      (await store.versions(name)).filter((each) => each.isPending).map((each) => each.version)
    const first = await stage('one')
    expect(await pending()).toEqual([])
    const second = await stage('two')
    expect(await pending()).toEqual([second])
    await store.promote(name, { version: second, previous: first })
    expect(await pending()).toEqual([])
    double.called.length = 0
    await store.promote(name, { version: second, previous: first })
    expect(double.called).toEqual(['DescribeSecret', 'ListSecretVersionIds'])
  })

  test('a label that another tool left on the current version is no rotation under way', async () => {
    const first = await stage('one')
    double.secrets.relabel(name, 'AWSPENDING', { from: undefined, to: first })
    expect(await store.versions(name)).toMatchObject([{ version: first, isPending: false }])
  })
})
