import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { connectUnproved } from '#core/job/redis-connect.ts'
import { elastiCacheUsers } from '#core/secret/aws/elasticache-users.ts'
import { elastiCacheUserTarget } from '#core/secret/rotation/elasticache-user-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import {
  type ElastiCacheDouble,
  elastiCacheDouble,
  elastiCacheFailure,
} from '#test/doubles/elasticache-double.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'

setDefaultTimeout(60_000)

const users = ['red_a', 'red_b'] as const
const userIds = ['desk-red-a', 'desk-red-b'] as const
const rules = 'on ~{postern-* &* +@all -@dangerous +client'
const firstPassword = 'the-first-password'

let server: RedisServer
let root: Redis
let cloud: ElastiCacheDouble
beforeAll(async () => {
  server = await startRedis()
  root = new Redis(server.url)
})
afterAll(async () => {
  root.disconnect()
  await server.stop('SIGKILL')
})

const opened: Redis[] = []
beforeEach(async () => {
  cloud = elastiCacheDouble(root)
  await cloud.add(userIds[0], {
    ...{ name: users[0], accessString: rules, passwords: [firstPassword] },
  })
  await cloud.add(userIds[1], {
    ...{ name: users[1], accessString: 'off -@all', passwords: ['nobody-knows-this-one'] },
  })
})
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.disconnect()
  await root.call('ACL', 'DELUSER', ...users)
  await cloud.stop()
})

function connect(url: string): Redis {
  const connection = connectUnproved({ url, mode: 'development' })
  opened.push(connection)
  return connection
}

function target({ changeMsMax = 5_000 } = {}) {
  const api = elastiCacheUsers({
    ...{ region: 'eu-central-1', endpoint: cloud.url, pollMs: 5, changeMsMax },
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'its secret' },
  })
  const admin = (kept: SecretMembers | undefined) => {
    if (kept === undefined) return undefined
    const connection = new Redis(urlIn(kept), { enableReadyCheck: false })
    opened.push(connection)
    return connection
  }
  return elastiCacheUserTarget({ users, userIds, member: 'url', api, connect, admin })
}

function loginOf(user: string, password: string): SecretMembers {
  const url = new URL(`${server.url}/0`)
  ;[url.username, url.password] = [user, password]
  return { url: url.href }
}
const first = () => loginOf(users[0], firstPassword)
const urlIn = (members: SecretMembers) => members['url'] ?? ''
const passwordIn = (members: SecretMembers) => new URL(urlIn(members)).password

/** A session, as one of the processes has it. */
async function logIn(members: SecretMembers): Promise<Redis> {
  const connection = connect(server.url)
  await connection.connect()
  await connection.auth(new URL(urlIn(members)).username, passwordIn(members))
  return connection
}

/** `set` looks at both users, and at one of them again, before it changes it. */
function isChange(): () => boolean {
  let requests = 0
  return () => {
    requests += 1
    return requests > 3
  }
}

async function failureOf(run: () => Promise<unknown>): Promise<unknown> {
  return await run().then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('without proof of the login in force nothing is changed, unless it is revoked', async () => {
  const pending = target().generate(first())
  const current = loginOf(users[0], 'another-password-of-it')
  await expect(target().set({ current, pending })).rejects.toMatchObject({
    code: 'secret.target_refused',
  })
  expect(cloud.called).not.toContain('ModifyUser')
  await target().set({ current, pending, isUrgent: true })
  expect(await target().isRefused(pending)).toBe(false)
})

test.each([
  ['UserNotFound', 404, 'secret.target_refused'],
  ['InvalidParameterValue', 400, 'secret.target_refused'],
  ['InvalidUserState', 400, 'secret.target_unavailable'],
  ['Throttling', 400, 'secret.target_unavailable'],
  ['AccessDenied', 403, 'secret.target_unavailable'],
  ['InternalFailure', 500, 'secret.target_unavailable'],
])(
  'a change that AWS answers with %s (%d) is %s, and names no password',
  async (code, status, ours) => {
    const succession = { current: first(), pending: target().generate(first()) }
    cloud.strike(elastiCacheFailure(code, status), { times: 2, isMeant: isChange() })
    const error = await failureOf(() => target().set(succession))
    expect(error).toMatchObject({ code: ours })
    const told = inspect(error, { depth: 9 })
    for (const one of [succession.current, succession.pending]) {
      expect(told).not.toContain(passwordIn(one))
    }
  },
)

test('users that are in no group together are refused', async () => {
  const other = cloud.users.get(userIds[1])
  if (other !== undefined) other.groups = ['another']
  const pending = target().generate(first())
  await expect(target().set({ current: first(), pending })).rejects.toMatchObject({
    message: expect.stringContaining('in no user group together'),
  })
})

test('an id that belongs to another user than the login says is refused', async () => {
  await cloud.add(userIds[1], {
    ...{ name: 'stranger', accessString: rules, passwords: ['a-password-of-others'] },
  })
  const pending = target().generate(first())
  await expect(target().set({ current: first(), pending })).rejects.toMatchObject({
    message: expect.stringContaining('is stranger, not red_b'),
  })
  expect(cloud.called).not.toContain('ModifyUser')
  await root.call('ACL', 'DELUSER', 'stranger')
})

test('set lets the pending login in with the rules of the one in force, any number of times', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  for (const _ of [1, 2]) await target().set(succession)
  expect(cloud.called.filter((action) => action === 'ModifyUser')).toHaveLength(1)
  await target().test(succession)
  for (const members of [succession.current, succession.pending]) {
    const session = await logIn(members)
    expect(await session.set('{postern-x}:key', 'value')).toBe('OK')
    await expect(session.set('elsewhere', 'value')).rejects.toThrow('NOPERM')
  }
})

test('an answer that is lost after the change is found to be done', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  cloud.strike({ kind: 'lost' }, { times: 2, isMeant: isChange() })
  expect(await failureOf(() => target().set(succession))).toMatchObject({
    code: 'secret.target_unavailable',
  })
  await target().set(succession)
  await target().test(succession)
})

test('a change that never reaches the nodes is an outage, and nothing is promoted on it', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  cloud.slowness = 1_000_000
  expect(await failureOf(() => target({ changeMsMax: 50 }).set(succession))).toMatchObject({
    code: 'secret.target_unavailable',
    message: expect.stringContaining('still modifying'),
  })
  expect(await failureOf(() => target({ changeMsMax: 50 }).test(succession))).toMatchObject({
    code: 'secret.target_unavailable',
  })
})

test('a pending login with another access string is refused', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  await target().set(succession)
  const user = cloud.users.get(userIds[1])
  if (user !== undefined) user.accessString = 'on ~* +@all'
  await expect(target().test(succession)).rejects.toMatchObject({ code: 'secret.target_refused' })
})

test('retired, a login is refused and its connections have ended, the blocked one too; its turn comes again', async () => {
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
  for (const _ of [1, 2]) await target().retire({ kept: succession.pending, retired: first() })
  await ended
  expect(await popped).toBeInstanceOf(Error)
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(succession.pending)).toBe(false)
  expect(await kept.get('{postern-x}:key')).not.toBeUndefined()
  const third = target().generate(succession.pending)
  await target().set({ current: succession.pending, pending: third })
  await target().test({ current: succession.pending, pending: third })
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(third)).toBe(false)
})
