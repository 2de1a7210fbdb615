import { afterEach, expect, test } from 'bun:test'
import { remoteKeySetTimes } from '#core/access/key-set.ts'
import { type KeyServer, startKeyServer } from './key-server.ts'
import {
  type AccessWorld,
  accessDocument,
  openWorld,
  type SigningKey,
  signingKey,
  token,
  verdict,
} from './world.ts'

const [first, second, third] = await Promise.all([
  signingKey('EdDSA', 'key-1'),
  signingKey('EdDSA', 'key-2'),
  signingKey('EdDSA', 'key-3'),
])

const { cooldownMs, refreshMs, hardAgeMs, absentMs } = remoteKeySetTimes
const opened: { access: { close(): void } }[] = []
const servers: KeyServer[] = []
afterEach(async () => {
  for (const { access } of opened.splice(0)) access.close()
  for (const server of servers.splice(0)) await server.stop()
})

function serve(...keys: readonly SigningKey[]): KeyServer {
  const server = startKeyServer(...keys)
  servers.push(server)
  return server
}

async function open(
  server: KeyServer,
  timeoutMs = remoteKeySetTimes.timeoutMs,
): Promise<AccessWorld> {
  const world = await openWorld(
    { document: accessDocument({ jwksUrl: server.url }, ['EdDSA']) },
    { keySetTimes: { ...remoteKeySetTimes, timeoutMs } },
  )
  opened.push(world)
  return world
}

let tokenCount = 0
/** A token not seen before, so that no cache answers. */
async function verdictOf(world: AccessWorld, key: SigningKey): Promise<string> {
  const jti = `token-${tokenCount++}`
  return await verdict(world.access, `Bearer ${await token(key, world.clock, { jti })}`)
}

const down = () => new Response('down', { status: 503 })

test('keys are there before the first token', async () => {
  const server = serve(first)
  const world = await open(server)
  expect(world.access.notReady()).toBeUndefined()
  expect(server.count()).toBe(1)
  expect(await verdictOf(world, first)).toBe('ok')
  expect(server.count()).toBe(1)
})

test('a rotation costs no caller a 401: the new key is fetched once, for all who come with it', async () => {
  const server = serve(first)
  const world = await open(server)
  server.publish(first, second)
  world.clock.advance(cooldownMs)
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdictOf(world, second)))
  expect(new Set(verdicts)).toEqual(new Set(['ok']))
  expect(server.count()).toBe(2)
  expect(await verdictOf(world, first)).toBe('ok')
})

test('a key that the issuer took away verifies nothing, remembered tokens included', async () => {
  const server = serve(first, second)
  const world = await open(server)
  const seen = `Bearer ${await token(first, world.clock)}`
  expect(await verdict(world.access, seen)).toBe('ok')
  server.publish(second)
  world.clock.advance(cooldownMs)
  await verdictOf(world, third)
  expect(await verdict(world.access, seen)).toBe('token.key_unknown')
})

test('a flood of unknown kids reaches the issuer once per cooldown', async () => {
  const server = serve(first)
  const world = await open(server)
  world.clock.advance(cooldownMs)
  for (let kid = 0; kid < 300; kid++) {
    expect(await verdictOf(world, { ...second, kid: `junk-${kid}` })).toBe('token.key_unknown')
  }
  expect(server.count()).toBe(2)
  world.clock.advance(cooldownMs - 1)
  await verdictOf(world, { ...second, kid: 'junk' })
  expect(server.count()).toBe(2)
  world.clock.advance(1)
  await verdictOf(world, { ...second, kid: 'junk' })
  expect(server.count()).toBe(3)
})

test('a kid asked for in vain leads to no further fetch for a while', async () => {
  const server = serve(first)
  const world = await open(server)
  world.clock.advance(cooldownMs)
  await verdictOf(world, second)
  for (let passed = cooldownMs; passed < absentMs; passed += cooldownMs) {
    world.clock.advance(cooldownMs)
    expect(await verdictOf(world, second)).toBe('token.key_unknown')
  }
  expect(server.count()).toBe(2)
  server.publish(first, second)
  world.clock.advance(cooldownMs)
  expect(await verdictOf(world, second)).toBe('ok')
})

test('while the issuer is down known keys are served, and junk is still the fault of who sends it', async () => {
  const server = serve(first)
  const world = await open(server)
  server.respond(down)
  world.clock.advance(cooldownMs)
  expect(await verdictOf(world, second)).toBe('token.key_unknown')
  expect(await verdictOf(world, first)).toBe('ok')
  for (let junk = 0; junk < 20; junk++) await verdictOf(world, second)
  expect(server.count()).toBe(2)
})

test('once the set is stale an unknown key is an outage, and failures have a cooldown too', async () => {
  const server = serve(first)
  const world = await open(server)
  server.respond(down)
  world.clock.advance(2 * refreshMs + 1)
  for (let junk = 0; junk < 20; junk++) {
    expect(await verdictOf(world, second)).toBe('auth.keys_unavailable keys.fetch_failed')
  }
  expect(await verdictOf(world, first)).toBe('ok')
  expect(server.count()).toBe(2)
})

test('keys older than the hard age verify nothing and make the gateway not ready', async () => {
  const server = serve(first)
  const world = await open(server)
  server.respond(down)
  world.clock.advance(hardAgeMs)
  expect(await verdictOf(world, first)).toBe('ok')
  world.clock.advance(1)
  expect(world.access.notReady()).toBe('keys of issuer https://issuer.example')
  expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
  server.publish(first)
  world.clock.advance(cooldownMs)
  expect(await verdictOf(world, first)).toBe('ok')
  expect(world.access.notReady()).toBeUndefined()
})

test('an issuer that is down at the start is an outage, asked again at most once per cooldown', async () => {
  const server = serve()
  server.respond(down)
  const world = await open(server)
  expect(world.access.notReady()).toBe('keys of issuer https://issuer.example')
  for (let again = 0; again < 20; again++) {
    expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
  }
  expect(server.count()).toBe(1)
  server.publish(first)
  world.clock.advance(cooldownMs)
  expect(await verdictOf(world, first)).toBe('ok')
})

const manyKeys = () =>
  Response.json({
    keys: Array.from({ length: 101 }, (_, at) => ({ ...first.publicJwk, kid: `k${at}` })),
  })

test.each([
  ['refused', (): Response => new Response('no', { status: 404 })],
  ['an empty 200', () => new Response('')],
  ['no JSON', () => new Response('<html>')],
  ['JSON but no set', () => Response.json({ hello: 1 })],
  ['a body of 300 KB', () => Response.json({ keys: [], padding: 'x'.repeat(300_000) })],
  ['a body without end', () => new Response(endless())],
  ['101 keys', manyKeys],
  [
    'two keys of one name',
    () =>
      Response.json({
        keys: [first.publicJwk, second.publicJwk].map((key) => ({ ...key, kid: 'key-1' })),
      }),
  ],
])('an answer that is %s is an outage and leaves no key behind', async (_, answer) => {
  const server = serve()
  server.respond(answer)
  const world = await open(server)
  expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
})

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(16_384).fill(0x20)
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) })
}

test('a redirect is not followed, even to a good key set', async () => {
  const target = serve(first)
  const server = serve()
  server.respond(() => Response.redirect(target.url, 302))
  const world = await open(server)
  expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
  expect(target.count()).toBe(0)
})

test('an issuer that does not answer is given up after the timeout', async () => {
  const server = serve()
  server.respond(() => new Promise<Response>(() => undefined))
  const world = await open(server, 100)
  expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
})

test('an answer that stops half way is given up after the timeout', async () => {
  const server = serve()
  server.respond(() => new Response(stalled()))
  const world = await open(server, 100)
  expect(await verdictOf(world, first)).toBe('auth.keys_unavailable keys.fetch_failed')
})

function stalled(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"keys":[')),
    pull: () => new Promise<void>(() => undefined),
  })
}

test('keys for other purposes are passed over and do no harm', async () => {
  const server = serve()
  server.respond(() =>
    Response.json({
      keys: [
        null,
        { kty: 'RSA' },
        { ...second.publicJwk, use: 'enc' },
        { ...third.publicJwk, x: 'AA' },
        { ...third.publicJwk, kid: 'symmetric', kty: 'oct', k: 'AA' },
        first.publicJwk,
      ],
    }),
  )
  const world = await open(server)
  expect(await verdictOf(world, first)).toBe('ok')
  expect(await verdictOf(world, second)).toBe('token.key_unknown')
  expect(await verdictOf(world, third)).toBe('token.key_unknown')
})
