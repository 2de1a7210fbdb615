import { afterEach, expect, test } from 'bun:test'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessDocument } from '#core/access/access-file.ts'
import { PosternError } from '#core/errors.ts'
import { startKeyServer } from './key-server.ts'
import {
  type AccessWorld,
  accessDocument,
  eventually,
  issuerName,
  openWorld,
  signingKey,
  temporaryFolder,
  token,
  verdict,
} from './world.ts'

const key = await signingKey('EdDSA', 'key-1')
const document = accessDocument({ jwks: { keys: [key.publicJwk] } }, ['EdDSA'])
const other: AccessDocument = {
  ...document,
  zones: { v1: ['192.168.0.0/16'], internal: [], probe: [] },
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder()
  cleanups.push(remove)
  return path
}

async function openFile(file: string): Promise<AccessWorld> {
  const world = await openWorld({ file })
  cleanups.push(() => world.access.close())
  return world
}

const isOther = ({ access }: AccessWorld) => access.admit('v1', '192.168.1.1', undefined).admitted
const isFirst = ({ access }: AccessWorld) => access.admit('v1', '10.0.0.1', undefined).admitted

async function refusedFiles({ metrics }: AccessWorld): Promise<number> {
  return (await metrics.accessFileRefused.get()).values[0]?.value ?? 0
}

test('an empty zone admits nobody, and each zone has a list of its own', async () => {
  const { access } = await openWorld({ document })
  expect(access.admit('probe', '10.1.0.1', undefined)).toEqual({
    admitted: false,
    clientAddress: '10.1.0.1',
    reason: 'address.not_in_zone',
  })
  expect(access.admit('internal', '10.0.0.1', undefined).admitted).toBe(false)
  expect(access.admit('internal', '10.1.0.1', undefined)).toEqual({
    admitted: true,
    clientAddress: '10.1.0.1',
    rule: 'zones.internal 10.1.0.0/16',
  })
})

test('a verdict remembered without the header is not given to one with it', async () => {
  const { access } = await openWorld({ document })
  for (let again = 0; again < 2; again++) {
    expect(access.admit('v1', '10.255.0.1', undefined).clientAddress).toBe('10.255.0.1')
    expect(access.admit('v1', '10.255.0.1', '8.8.8.8').clientAddress).toBe('8.8.8.8')
    expect(access.admit('v1', undefined, '10.0.0.1').admitted).toBe(false)
  }
})

test('a token seen before is answered without a promise, until it expires', async () => {
  const { access, clock } = await openWorld({ document })
  const authorization = `Bearer ${await token(key, clock)}`
  const first = await access.authenticate(authorization)
  expect(access.authenticate(authorization)).toBe(first)
  clock.advance(299_999)
  expect(access.authenticate(authorization)).toBe(first)
  clock.advance(1 + 30_000)
  expect(await verdict(access, authorization)).toBe('token.expired')
})

test('many who come with one unseen token share its verification', async () => {
  const { access, clock } = await openWorld({ document })
  const authorization = `Bearer ${await token(key, clock)}`
  const principals = await Promise.all(
    Array.from({ length: 20 }, () => access.authenticate(authorization)),
  )
  expect(new Set(principals).size).toBe(1)
})

test.each([
  ['its id', 'jti', 'token-1'],
  ['its subject', 'sub', 'service-a'],
  ['its signing key', 'kid', 'key-1'],
  ['its issuer', 'iss', ''],
] as const)('a token seen before is dead at once when %s is denied', async (_, claim, value) => {
  const { access, clock, denyList } = await openWorld({ document })
  const authorization = `Bearer ${await token(key, clock)}`
  denyList.deny('https://another.example', claim, value)
  expect(await verdict(access, authorization)).toBe('ok')
  denyList.deny(issuerName, claim, value)
  expect(await verdict(access, authorization)).toBe('token.revoked')
})

test('nobody is admitted before the deny list was read', async () => {
  const { access, clock, denyList } = await openWorld({ document })
  denyList.setLoaded(false)
  expect(access.notReady()).toBe('deny list')
  expect(await verdict(access, `Bearer ${await token(key, clock)}`)).toBe(
    'auth.keys_unavailable deny_list.not_loaded',
  )
})

test('a token seen before is refused while nobody hears what was revoked', async () => {
  const { access, clock, denyList } = await openWorld({ document })
  const authorization = `Bearer ${await token(key, clock)}`
  expect(await verdict(access, authorization)).toBe('ok')
  denyList.setHeard(false)
  expect(access.notReady()).toBe('deny list')
  expect(await verdict(access, authorization)).toBe('auth.keys_unavailable deny_list.unheard')
  denyList.setHeard(true)
  expect(await verdict(access, authorization)).toBe('ok')
})

test('a file that is bad at the start is no start', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, '{}')
  await expect(openWorld({ file })).rejects.toThrow('access file: zones')
})

test('a new version is in force by itself, as a whole, with its audit record', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  expect([isFirst(world), isOther(world)]).toEqual([true, false])
  await writeFile(file, JSON.stringify(other))
  await eventually(() => isOther(world))
  expect(isFirst(world)).toBe(false)
  await eventually(() =>
    world.audit.records.some((record) => record.type === 'access.file_changed'),
  )
})

/** At once: who writes into a file shows it empty first, which is a version too. */
async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text)
  await rename(`${file}.next`, file)
}

test('a new version that cannot be recorded is not in force until it can', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  const authorization = `Bearer ${await token(key, world.clock)}`
  world.audit.failWith(new PosternError('audit.unavailable'))
  await replaceFile(file, JSON.stringify(other))
  await world.access.reload()
  await world.access.reload()
  expect([isFirst(world), isOther(world)]).toEqual([true, false])
  expect(await verdict(world.access, authorization)).toBe('ok')
  expect(await refusedFiles(world)).toBe(0)
  world.audit.failWith(undefined)
  await world.access.reload()
  expect([isFirst(world), isOther(world)]).toEqual([false, true])
  expect(world.audit.records.map(({ type }) => type)).toEqual(['access.file_changed'])
})

test('a refused version whose record is owed is recorded once the log takes it', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  world.audit.failWith(new PosternError('audit.unavailable'))
  await replaceFile(file, '{')
  await world.access.reload()
  await world.access.reload()
  world.audit.failWith(undefined)
  await world.access.reload()
  await world.access.reload()
  expect(await refusedFiles(world)).toBe(1)
  expect(world.audit.records.map(({ type }) => type)).toEqual(['access.file_refused'])
})

test('a version renamed over the old one is in force', async () => {
  const path = await folder()
  const file = join(path, 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  await writeFile(join(path, 'next'), JSON.stringify(other))
  await rename(join(path, 'next'), file)
  await eventually(() => isOther(world))
})

test('a version swapped in under a symlink, as Kubernetes does, is in force', async () => {
  const path = await folder()
  for (const [name, content] of [
    ['one', document],
    ['two', other],
  ] as const) {
    await mkdir(join(path, name))
    await writeFile(join(path, name, 'access.json'), JSON.stringify(content))
  }
  await symlink('one', join(path, '..data'))
  await symlink('..data/access.json', join(path, 'access.json'))
  const world = await openFile(join(path, 'access.json'))
  expect(isFirst(world)).toBe(true)
  await symlink('two', join(path, '..data_tmp'))
  await rename(join(path, '..data_tmp'), join(path, '..data'))
  await eventually(() => isOther(world))
})

test.each([
  ['no JSON', '{'],
  ['a bad range', JSON.stringify(document).replace('10.0.0.0/8', '10.0.0.0/33')],
  ['an unusable key', JSON.stringify(document).replace('"EdDSA"', '"ES256"')],
  ['nothing', ''],
])('a new version with %s changes nothing but an alarm', async (_, text) => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  const authorization = `Bearer ${await token(key, world.clock)}`
  expect(await verdict(world.access, authorization)).toBe('ok')
  await replaceFile(file, text)
  await eventually(async () => (await refusedFiles(world)) === 1)
  await eventually(() =>
    world.audit.records.some((record) => record.type === 'access.file_refused'),
  )
  await world.access.reload()
  expect(await refusedFiles(world)).toBe(1)
  expect(isFirst(world)).toBe(true)
  expect(await verdict(world.access, authorization)).toBe('ok')
  await writeFile(file, JSON.stringify(other))
  await eventually(() => isOther(world))
})

test('a file that goes away changes nothing but an alarm', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  await rm(file)
  await eventually(async () => (await refusedFiles(world)) === 1)
  expect(isFirst(world)).toBe(true)
  await writeFile(file, JSON.stringify(other))
  await eventually(() => isOther(world))
})

test('an issuer taken out of the file admits nobody any more, remembered tokens included', async () => {
  const file = join(await folder(), 'access.json')
  await writeFile(file, JSON.stringify(document))
  const world = await openFile(file)
  const authorization = `Bearer ${await token(key, world.clock)}`
  expect(await verdict(world.access, authorization)).toBe('ok')
  await writeFile(file, JSON.stringify({ ...document, issuers: [] }))
  await world.access.reload()
  await eventually(
    async () => (await verdict(world.access, authorization)) === 'token.issuer_unknown',
  )
})

test('fetched keys outlive a new version that keeps their issuer, even while it is down', async () => {
  const server = startKeyServer(key)
  cleanups.push(() => server.stop())
  const file = join(await folder(), 'access.json')
  const fetched = accessDocument({ jwksUrl: server.url }, ['EdDSA'])
  await writeFile(file, JSON.stringify(fetched))
  const world = await openFile(file)
  await server.stop()
  await writeFile(file, JSON.stringify({ ...fetched, zones: other.zones }))
  await eventually(() => isOther(world))
  expect(await verdict(world.access, `Bearer ${await token(key, world.clock)}`)).toBe('ok')
})

test('limits and further scopes are those of the file', async () => {
  const own = { issuer: issuerName, subject: 'service-a', perSecond: 1, burst: 2 }
  const { access, clock } = await openWorld({
    document: {
      ...document,
      routes: { 'GET /v1/jobs/:id': ['desk:a'] },
      limits: { default: { perSecond: 10, burst: 20 }, subjects: [own] },
    },
  })
  const named = await access.authenticate(`Bearer ${await token(key, clock)}`)
  const unnamed = await access.authenticate(`Bearer ${await token(key, clock, { sub: 'b' })}`)
  expect(access.limitFor(named)).toMatchObject({ perSecond: 1, burst: 2 })
  expect(access.limitFor(unnamed)).toMatchObject({ perSecond: 10, burst: 20 })
  expect(access.scopesFor('GET /v1/jobs/:id')).toEqual(['desk:a'])
  expect(access.scopesFor('POST /v1/jobs/:id')).toEqual([])
  expect(access.callbackPrefixes).toEqual(['https://hooks.example/postern/'])
})
