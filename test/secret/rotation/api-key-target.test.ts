import { afterEach, beforeEach, expect, test } from 'bun:test'
import { inspect } from 'node:util'
import { apiKeyTarget } from '#core/secret/rotation/api-key-target.ts'
import { hookedKeyTarget } from '#core/secret/rotation/hooked-key-target.ts'
import { keyHook } from '#core/secret/rotation/key-hook.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import type { Fault } from '#test/doubles/fault-server.ts'
import { type KeyHookDouble, keyHookDouble } from '#test/doubles/key-hook-double.ts'

const token = 'the-token-of-the-hook'
const first: SecretMembers = { id: 'id-0', key: 'the-first-key', note: 'of the desk' }
const plan = { rotation: Bun.randomUUIDv7(), isUrgent: false }
const answering = (status: number, body = '', headers = {}): Fault => ({
  ...{ kind: 'answer', status, body, headers },
})

let provider: KeyHookDouble
beforeEach(() => {
  provider = keyHookDouble(token)
  provider.keys.set('id-0', 'the-first-key')
})
afterEach(() => provider.stop())

const target = (options: { token?: string; url?: string; requestMsMax?: number } = {}) =>
  hookedKeyTarget({
    ...{ member: 'key', graceSeconds: 600 },
    hook: keyHook({ url: provider.url, token, name: 'desk/feed', member: 'key', ...options }),
  })

async function failureOf(run: () => Promise<unknown>): Promise<unknown> {
  return await run().then(
    () => undefined,
    (error: unknown) => error,
  )
}
const generate = async () => await target().generate(first, plan)

test.each([
  ['400', answering(400, 'the-first-key'), 'secret.target_refused'],
  ['401', answering(401), 'secret.target_refused'],
  ['404', answering(404), 'secret.target_refused'],
  ['an answer without members', answering(200, '{}'), 'secret.target_refused'],
  ['no JSON', answering(200, '<html>the-first-key'), 'secret.target_refused'],
  ['more than is asked', answering(200, '{"members":{"key":"k"},"x":1}'), 'secret.target_refused'],
  ['an empty key', answering(200, '{"members":{"key":""}}'), 'secret.target_refused'],
  ['a key under another name', answering(200, '{"members":{"id":"k"}}'), 'secret.target_refused'],
  [
    'a member that is ours',
    answering(200, '{"members":{"key":"k","rotation":"x"}}'),
    'secret.target_refused',
  ],
  [
    'more than a document holds',
    answering(200, JSON.stringify({ members: { key: 'k'.repeat(16_384) } })),
    'secret.target_refused',
  ],
  ['408', answering(408), 'secret.target_unavailable'],
  ['429', answering(429, '', { 'retry-after': '7' }), 'secret.target_unavailable'],
  ['500', answering(500, 'the-first-key'), 'secret.target_unavailable'],
  ['503', answering(503), 'secret.target_unavailable'],
  [
    'a redirect',
    answering(307, '', { location: 'https://elsewhere' }),
    'secret.target_unavailable',
  ],
  ['half an answer', { kind: 'torn' }, 'secret.target_unavailable'],
  ['no answer', { kind: 'lost' }, 'secret.target_unavailable'],
] as const)('a hook that creates with %s fails with no value in it', async (_, fault, code) => {
  provider.strike(fault)
  const error = await failureOf(generate)
  expect(error).toMatchObject({ code })
  const told = inspect(error, { depth: 9 })
  for (const value of ['the-first-key', token, ...provider.keys.values()]) {
    expect(told).not.toContain(value)
  }
})

test('throttled, it says when to come back', async () => {
  provider.strike(answering(429, '', { 'retry-after': '7' }))
  expect(await failureOf(generate)).toMatchObject({ retryAfterSeconds: 7 })
})

test('a hook that does not answer in time is an outage', async () => {
  const silent = Bun.serve({
    ...{ hostname: '127.0.0.1', port: 0 },
    fetch: () => new Promise<Response>(() => undefined),
  })
  const slow = target({ url: silent.url.href, requestMsMax: 50 })
  expect(await failureOf(async () => await slow.generate(first, plan))).toMatchObject({
    code: 'secret.target_unavailable',
  })
  await silent.stop(true)
})

test('a hook that another token is asked for refuses', async () => {
  const stranger = target({ token: 'another' })
  expect(await failureOf(async () => await stranger.generate(first, plan))).toMatchObject({
    code: 'secret.target_refused',
  })
  expect(provider.called).toEqual([])
})

test('the key of one rotation is made once, however often it is asked for', async () => {
  provider.strike({ kind: 'lost' })
  expect(await failureOf(generate)).toMatchObject({ code: 'secret.target_unavailable' })
  const pending = await generate()
  expect(await generate()).toEqual(pending)
  expect(provider.keys.size).toBe(2)
  expect(pending).toEqual({ ...first, id: expect.any(String), key: expect.any(String) })
})

test('both keys are let in until the old one is retired, which may be asked for again', async () => {
  const pending = await generate()
  const succession = { current: first, pending }
  await target().set(succession)
  await target().test(succession)
  const refused = async () =>
    await Promise.all([first, pending].map((each) => target().isRefused(each)))
  expect(await refused()).toEqual([false, false])
  for (const _ of [1, 2]) await target().retire({ kept: pending, retired: first })
  expect(await refused()).toEqual([true, false])
})

test('a key that the hook does not accept is refused', async () => {
  const pending = { ...(await generate()), key: 'another' }
  await expect(target().test({ current: first, pending })).rejects.toMatchObject({
    code: 'secret.target_refused',
  })
  await expect(target().test({ current: first, pending: first })).rejects.toMatchObject({
    message: 'the member key is no new key',
  })
})

test('without a hook a key is made here, and the one before it has its time of grace', async () => {
  const own = apiKeyTarget({ member: 'key', graceSeconds: 60 })
  const pending = await own.generate(first, plan)
  expect(pending).toEqual({ ...first, key: expect.stringMatching(/^pk_[A-Za-z0-9_-]{43}$/) })
  await own.test({ current: first, pending })
  expect(own.graceSeconds).toBe(60)
  expect(() => own.generate({ id: 'x' }, plan)).toThrow('the member key is no key')
  await expect(own.test({ current: first, pending: first })).rejects.toMatchObject({
    code: 'secret.target_refused',
  })
  await expect(own.test({ current: first, pending: { id: 'x' } })).rejects.toThrow('is no key')
})
