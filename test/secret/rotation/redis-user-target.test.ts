import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { connectUnproved } from '#core/job/redis-connect.ts'
import { redisUserTarget } from '#core/secret/rotation/redis-user-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'

setDefaultTimeout(60_000)

const users = ['app_a', 'app_b'] as const
const rules = ['~{postern-*', '&*', '+@all', '-@dangerous', '+info']

let folder: string
let server: RedisServer
let admin: Redis
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-acl-'))
  await writeFile(join(folder, 'users.acl'), 'user default on nopass ~* &* +@all\n')
  server = await startRedis({ args: ['--aclfile', join(folder, 'users.acl')] })
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop('SIGKILL')
  await rm(folder, { recursive: true })
})

const opened: Redis[] = []
beforeEach(async () => {
  await admin.call('ACL', 'SETUSER', 'app_a', 'reset', 'on', '>first', ...rules)
})
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.disconnect()
  await admin.call('ACL', 'DELUSER', ...users)
})

function connect(url: string): Redis {
  const connection = connectUnproved({ url, mode: 'development' })
  opened.push(connection)
  return connection
}

/** A session, as one of the processes has it. */
async function logIn(members: SecretMembers): Promise<Redis> {
  const { username, password } = new URL(urlIn(members))
  const connection = connect(server.url)
  await connection.connect()
  await connection.auth(username, password)
  return connection
}

const target = () => redisUserTarget({ admin, users, member: 'url', connect })
function loginOf(user: string, password: string): SecretMembers {
  const url = new URL(`${server.url}/0`)
  ;[url.username, url.password] = [user, password]
  return { url: url.href }
}
const first = () => loginOf('app_a', 'first')
const urlIn = (members: SecretMembers) => members['url'] ?? ''
const refusal = { code: 'secret.target_refused' }
const rulesOf = async (user: string) => {
  const reply = JSON.stringify(await admin.call('ACL', 'GETUSER', user))
  return reply.replace(/"passwords",\[[^\]]*\]/, '')
}

test('set lets the pending login in beside the one in force, with its rules, any number of times', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  for (const _ of [1, 2]) await target().set(succession)
  await target().test(succession)
  expect(await rulesOf('app_b')).toBe(await rulesOf('app_a'))
  for (const members of [succession.current, succession.pending]) {
    const session = await logIn(members)
    expect(await session.set('{postern-x}:key', 'value')).toBe('OK')
    await expect(session.set('elsewhere', 'value')).rejects.toThrow('NOPERM')
  }
})

test('without proof of the login in force nothing is set', async () => {
  const pending = target().generate(first())
  await expect(target().set({ current: loginOf('app_a', 'wrong'), pending })).rejects.toMatchObject(
    refusal,
  )
  expect(await admin.call('ACL', 'GETUSER', 'app_b')).toBeNull()
})

test('a login that somebody has switched off by hand is replaced with its rules', async () => {
  await admin.call('ACL', 'SETUSER', 'app_a', 'off', 'resetpass')
  const succession = { current: first(), pending: target().generate(first()) }
  await expect(target().set(succession)).rejects.toMatchObject(refusal)
  await target().set({ ...succession, isUrgent: true })
  await target().test(succession)
  const session = await logIn(succession.pending)
  expect(await session.set('{postern-x}:key', 'value')).toBe('OK')
})

test('a pending login with other rules is refused', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  await target().set(succession)
  await admin.call('ACL', 'SETUSER', 'app_b', '-set')
  await expect(target().test(succession)).rejects.toMatchObject(refusal)
})

test('retired, a login is refused and every connection of it has ended, the blocked one too', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  await target().set(succession)
  const [idle, blocked, kept] = [
    await logIn(first()),
    await logIn(first()),
    await logIn(succession.pending),
  ]
  const popped = blocked.blpop('{postern-x}:list', 0).catch((error: unknown) => error)
  const ended = Promise.all(
    [idle, blocked].map((one) => new Promise((end) => one.once('end', end))),
  )
  await target().retire({ kept: succession.pending, retired: first() })
  await ended
  expect(await popped).toBeInstanceOf(Error)
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(succession.pending)).toBe(false)
  expect(await kept.ping()).toBe('PONG')
  await target().retire({ kept: succession.pending, retired: first() })
  const saved = await Bun.file(join(folder, 'users.acl')).text()
  expect(saved).toContain('user app_b on')
  expect(saved).toContain('user app_a off')
})

test('a user that was retired may log in again by its next turn', async () => {
  const second = target().generate(first())
  await target().set({ current: first(), pending: second })
  await target().retire({ kept: second, retired: first() })
  const third = target().generate(second)
  await target().set({ current: second, pending: third })
  await target().test({ current: second, pending: third })
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(third)).toBe(false)
})

test('a server that would forget its users is refused before anybody relies on them', async () => {
  const forgetful = await startRedis()
  const own = new Redis(forgetful.url)
  await own.call('ACL', 'SETUSER', 'app_a', 'reset', 'on', '>first', ...rules)
  const url = new URL(forgetful.url)
  ;[url.username, url.password] = ['app_a', 'first']
  const there = redisUserTarget({ admin: own, users, member: 'url', connect })
  const current = { url: url.href }
  await expect(there.set({ current, pending: there.generate(current) })).rejects.toMatchObject({
    ...refusal,
    message: expect.stringContaining('aclfile'),
  })
  own.disconnect()
  await forgetful.stop('SIGKILL')
})

test('a server out of reach is an outage and no refusal', async () => {
  const gone = loginOf('app_a', 'first')
  const url = new URL(urlIn(gone))
  url.port = '1'
  await expect(target().isRefused({ url: url.href })).rejects.toMatchObject({
    code: 'secret.target_unavailable',
  })
})

test('the server keeps a hash of the password and no more', async () => {
  const pending = target().generate(first())
  await target().set({ current: first(), pending })
  const { password } = new URL(urlIn(pending))
  const hash = new Bun.CryptoHasher('sha256').update(password).digest('hex')
  const saved = await Bun.file(join(folder, 'users.acl')).text()
  expect(saved).toContain('user app_b on ')
  expect(saved).toContain(`#${hash} `)
  expect(saved).not.toContain(password)
})
