import { expect, test } from 'bun:test'
import { inspect } from 'node:util'
import { secretCache } from '#core/secret/secret-cache.ts'
import { SecretValue } from '#core/secret/secret-value.ts'
import { memorySecretStore } from './memory-secret-store.ts'

const name = 'postern/database'
const url = { name, member: 'url' }
const outage = { code: 'secret.unavailable' }

async function open() {
  const store = memorySecretStore()
  const clock = { ms: 0 }
  const accesses: string[] = []
  let reads = 0
  let gate: Promise<void> | undefined
  const stage = (value: string) =>
    store.stage(name, { members: { url: value }, rotation: Bun.randomUUIDv7() })
  await stage('one')
  const cache = secretCache({
    store: {
      async read(of, version) {
        reads += 1
        await gate
        return await store.read(of, version)
      },
    },
    currentVersion: store.currentVersion,
    monotonicMs: () => clock.ms,
    onAccess: (access) => accesses.push(access),
  })
  return {
    ...{ store, cache, clock, accesses, stage },
    reads: () => reads,
    /** Reads wait until the answer is let go. */
    holdReads() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return () => {
        gate = undefined
        resolve()
      }
    },
    async replace(value: string) {
      const version = await stage(value)
      await store.promote(name, { version, previous: await store.currentVersion(name) })
    },
    value: async () => (await cache.read(url)).value,
    /** Until what was begun in the background has ended. */
    settle: async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    },
  }
}

test('a member that is not there is named, and nothing that every object has is one', async () => {
  const { cache } = await open()
  for (const member of ['password', 'constructor', 'toString']) {
    await expect(cache.read({ name, member })).rejects.toMatchObject({
      ...{ code: 'secret.not_found', message: `secret:${name}#${member} does not exist` },
    })
  }
})

test('many who ask at once read once', async () => {
  const { value, reads } = await open()
  expect(await Promise.all(Array.from({ length: 50 }, value))).toEqual(Array(50).fill('one'))
  expect(reads()).toBe(1)
})

test('an outage is told to everyone who waits, and the next asks again', async () => {
  const { value, store, reads } = await open()
  store.setOutage(true)
  const fates = await Promise.allSettled([value(), value(), value()])
  expect(fates.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  store.setOutage(false)
  expect(await value()).toBe('one')
  expect(reads()).toBe(1)
})

test('for 15 s it is not read again, then once in the background while the old one is given', async () => {
  const { value, replace, clock, reads, accesses, settle } = await open()
  await value()
  await replace('two')
  clock.ms = 14_999
  expect(await value()).toBe('one')
  await settle()
  expect(reads()).toBe(1)
  clock.ms = 15_000
  expect(await value()).toBe('one')
  await settle()
  expect(await value()).toBe('two')
  expect(reads()).toBe(2)
  expect(accesses).toEqual(['miss', 'hit', 'hit', 'hit'])
})

test('a store that is away is bridged for 45 s and not one moment longer', async () => {
  const { value, store, clock } = await open()
  await value()
  store.setOutage(true)
  for (const ms of [15_000, 30_000, 44_999]) {
    clock.ms = ms
    expect(await value()).toBe('one')
  }
  clock.ms = 45_000
  await expect(value()).rejects.toMatchObject(outage)
  store.setOutage(false)
  expect(await value()).toBe('one')
})

test('an answer that took longer than a value may be old is not given', async () => {
  const { value, clock, holdReads } = await open()
  const release = holdReads()
  const asked = value()
  clock.ms = 45_000
  release()
  await expect(asked).rejects.toMatchObject(outage)
  expect(await value()).toBe('one')
})

test('its age counts from the question, not from the answer', async () => {
  const { value, replace, clock, holdReads, settle } = await open()
  const release = holdReads()
  const asked = value()
  await Promise.resolve()
  clock.ms = 14_000
  release()
  await asked
  await replace('two')
  clock.ms = 15_000
  await value()
  await settle()
  expect(await value()).toBe('two')
})

test.each([name, undefined])(
  'after an invalidation of %p the old value is never given',
  async (what) => {
    const { value, cache, replace } = await open()
    await value()
    await replace('two')
    cache.invalidate(what)
    expect(await value()).toBe('two')
  },
)

test('a refresh that began before an invalidation and ends after it is not kept', async () => {
  const { value, cache, replace, clock, holdReads, settle } = await open()
  await value()
  clock.ms = 15_000
  const release = holdReads()
  await value()
  await settle()
  cache.invalidate(name)
  await replace('two')
  release()
  await settle()
  expect(await value()).toBe('two')
})

test('a version that was disabled is refused as soon as it is asked for', async () => {
  const { value, cache, store } = await open()
  await value()
  await store.disable(name, '1')
  cache.invalidate(name)
  await expect(value()).rejects.toMatchObject({ code: 'secret.disabled' })
})

test('no more than 200 names are remembered, and those in use are', async () => {
  const { cache, store, value, reads } = await open()
  await value()
  for (let index = 0; index < 250; index += 1) {
    const other = `other/${index}`
    await store.stage(other, { members: { url: 'x' }, rotation: Bun.randomUUIDv7() })
    await cache.read({ name: other, member: 'url' })
    await value()
  }
  expect(reads()).toBe(251)
  await cache.read({ name: 'other/249', member: 'url' })
  expect(reads()).toBe(251)
  await cache.read({ name: 'other/0', member: 'url' })
  expect(reads()).toBe(252)
})

test('printed, encoded or inspected it shows its name and version alone', () => {
  const value = new SecretValue({ url: 'canary-value' }, { name, version: '7' })
  const shown = [
    `${value}`,
    JSON.stringify({ value }),
    Bun.inspect({ deep: [value] }, { depth: 9 }),
    inspect(value, { showHidden: true, depth: 9 }),
    Object.keys(value).join(),
    JSON.stringify(structuredClone({ ...value })),
  ]
  for (const text of shown) expect(text).not.toContain('canary-value')
  expect(`${value}`).toBe('[secret postern/database@7]')
  expect(value.member('url')).toBe('canary-value')
})
