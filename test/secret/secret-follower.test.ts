import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  spyOn,
  test,
} from 'bun:test'
import { silentLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { isLoginRefused } from '#core/postgres/outage.ts'
import { fingerprintOf } from '#core/secret/rotation/fingerprint.ts'
import { type SecretFollower, secretFollower } from '#core/secret/secret-follower.ts'
import { secretPointers } from '#core/secret/secret-pointers.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { eventually } from '../integration/world.ts'
import { memorySecretStore } from './memory-secret-store.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation/rotation-world.ts'

setDefaultTimeout(60_000)

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())

let followers: SecretFollower[] = []
beforeEach(() => world.clear())
afterEach(async () => {
  await Promise.all(followers.map((one) => one.close()))
  followers = []
})

const first: SecretMembers = { url: 'one' }

/** A process that uses the secret; what it has taken over, in order. */
async function openProcess({ pollMs = 60_000, store = memorySecretStore() } = {}) {
  const process = await world.startProcess()
  await world.sql`delete from postern_secret_ack where process = ${process}`
  const adopted: string[] = []
  let refusal: Error | undefined
  let refused = 0
  const follower = await secretFollower({
    ...{ sql: world.sql, journal: testJournal(), store, process, pollMs },
    ...{ log: silentLog(), now: () => new Date() },
  })
  followers.push(follower)
  return {
    ...{ process, store, adopted, follower },
    refused: () => refused,
    refuse: (error: Error | undefined) => {
      refusal = error
    },
    follow: (version: string, members: SecretMembers) =>
      follower.follow({
        ...{ name: secretName, version, members },
        adopt: async (next) => {
          if (refusal !== undefined) {
            refused += 1
            throw refusal
          }
          adopted.push(next['url'] ?? '')
        },
      }),
    async proved() {
      const [row] = await world.sql<{ version: string }[]>`
        select version from postern_secret_ack where process = ${process}`
      return row?.version
    },
  }
}

type Process = Awaited<ReturnType<typeof openProcess>>

const stage = ({ store }: Process, url: string) =>
  store.stage(secretName, { members: { url }, rotation: Bun.randomUUIDv7() })

/** Moves the pointer as a rotation does. */
async function promote(version: string, members: SecretMembers, name = secretName) {
  const fingerprint = fingerprintOf(world.fingerprintKey, name, members)
  await world.sql`
    update postern_secret set current_version = ${version}, epoch = epoch + 1,
      fingerprint = decode(${fingerprint}, 'hex')
    where name = ${name} returning pg_notify('postern_secret', name)::text`
}

test('who uses a secret first makes its pointer, due in 90 days, with its record, and has proved it', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  const pointer = await world.journal.pointer(secretName)
  expect(pointer).toMatchObject({ current: '1', epoch: 1n, rotationDays: 90, kind: undefined })
  const days = ((pointer?.dueAt.getTime() ?? 0) - Date.now()) / 86_400_000
  expect(Math.round(days)).toBe(90)
  expect([await one.proved(), one.adopted]).toEqual(['1', []])
  const records = await world.sql`
    select convert_from(body, 'UTF8')::jsonb ->> 'type' as type from postern_audit_intake`
  expect(records.map(({ type }) => type)).toEqual(['secret.adopted'])
})

test('a pointer that is moved is followed at once and proved after it was taken over', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  await promote(await stage(one, 'two'), { url: 'two' })
  await eventually(async () => (await one.proved()) === '2')
  expect(one.adopted).toEqual(['two'])
  await promote('1', first)
  await eventually(async () => (await one.proved()) === '1')
  expect(one.adopted).toEqual(['two', 'one'])
})

test('a process that starts with a version that is in force no more takes the right one over', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  await promote(await stage(one, 'two'), { url: 'two' })
  const late = await openProcess({ store: one.store })
  await late.follow('1', first)
  expect([late.adopted, await late.proved()]).toEqual([['two'], '2'])
})

test('a move whose notification is lost is found by the poll', async () => {
  const one = await openProcess({ pollMs: 50 })
  await one.follow(await stage(one, 'one'), first)
  await stage(one, 'two')
  const fingerprint = fingerprintOf(world.fingerprintKey, secretName, { url: 'two' })
  await world.sql`
    update postern_secret set current_version = '2', epoch = epoch + 1,
      fingerprint = decode(${fingerprint}, 'hex')`
  await eventually(async () => (await one.proved()) === '2')
})

test('what cannot be taken over is not proved, and is tried again', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  one.refuse(new Error('the new login is refused'))
  await promote(await stage(one, 'two'), { url: 'two' })
  await Bun.sleep(200)
  expect(await one.proved()).toBe('1')
  one.refuse(undefined)
  await eventually(async () => (await one.proved()) === '2')
  expect(one.adopted).toEqual(['two'])
})

test('what has failed half way is taken over whole, also by the version that was in use before', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  one.refuse(new Error('one of its connections has hung up'))
  await promote(await stage(one, 'two'), { url: 'two' })
  await eventually(() => one.refused() > 0)
  await promote('1', first)
  one.refuse(undefined)
  await eventually(() => one.adopted.includes('one'))
})

test('of many that cannot be taken over there is one retry, not one for each', async () => {
  const one = await openProcess()
  const refuse = () => Promise.reject(new Error('refused'))
  await one.follow(await stage(one, 'one'), first)
  for (const name of ['postern/redis', 'postern/webhook']) {
    const version = await one.store.stage(name, { members: first, rotation: Bun.randomUUIDv7() })
    await one.follower.follow({ name, version, members: first, adopt: refuse })
    await world.sql`update postern_secret set current_version = 'absent', epoch = epoch + 1`
  }
  const waiting = new Set<unknown>()
  const set = spyOn(globalThis, 'setTimeout')
  const clear = spyOn(globalThis, 'clearTimeout')
  await one.follower.follow({ name: secretName, version: '1', members: first, adopt: refuse })
  set.mock.calls.forEach(([, ms], at) => {
    if (ms === 1_000) waiting.add(set.mock.results[at]?.value)
  })
  for (const [timer] of clear.mock.calls) waiting.delete(timer)
  set.mockRestore()
  clear.mockRestore()
  expect(waiting.size).toBe(1)
  await world.sql`delete from postern_secret where name <> ${secretName}`
})

test('a version that reads otherwise than where it was made is never taken over nor proved', async () => {
  const one = await openProcess({ pollMs: 20 })
  await one.follow(await stage(one, 'one'), first)
  await promote(await stage(one, 'of another environment'), { url: 'two' })
  await Bun.sleep(200)
  expect([one.adopted, await one.proved()]).toEqual([[], '1'])
  const [waiting] = await world.journal.unproved(secretName)
  expect(waiting?.process).toBe(one.process)
})

test('a process that starts in another environment has proved nothing', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  const other = await openProcess()
  await other.follow('1', { url: 'elsewhere' })
  expect(await other.proved()).toBe('')
})

test('a secret that is slow to be taken over holds up no other', async () => {
  const one = await openProcess()
  const { promise: blocked, resolve } = Promise.withResolvers<void>()
  const slow = await one.store.stage('postern/slow', { members: first, rotation: 'a' })
  await one.follower.follow({
    ...{ name: 'postern/slow', version: slow, members: first, adopt: () => blocked },
  })
  await one.follow(await stage(one, 'one'), first)
  const members = { url: 'slow two' }
  await one.store.stage('postern/slow', { members, rotation: 'b' })
  await promote('2', members, 'postern/slow')
  await promote(await stage(one, 'two'), { url: 'two' })
  await eventually(async () => one.adopted.length === 1)
  expect(one.adopted).toEqual(['two'])
  resolve()
})

test('a process that has ended is not waited for', async () => {
  const one = await openProcess()
  await one.follow(await stage(one, 'one'), first)
  await one.follower.close()
  expect(await one.proved()).toBeUndefined()
  expect(await world.journal.unproved(secretName)).toEqual([])
})

test('a process that was taken for gone is waited for again, and proves again', async () => {
  const one = await openProcess({ pollMs: 20 })
  await one.follow(await stage(one, 'one'), first)
  await world.sql`delete from postern_secret_ack`
  await eventually(async () => (await one.proved()) === '1')
  one.refuse(new Error('the new login is refused'))
  await promote(await stage(one, 'two'), { url: 'two' })
  await world.sql`delete from postern_secret_ack`
  await eventually(async () => (await one.proved()) === '')
  expect(await world.journal.unproved(secretName)).toHaveLength(1)
})

test('a process whose own login was retired while nobody waited for it is told so', async () => {
  await world.sql.unsafe(`create role slept_too_long login in role postern_worker`)
  const url = new URL(world.url)
  url.username = 'slept_too_long'
  const sql = connectPostgres({
    ...{ url: url.href, mode: 'development', applicationName: 'slept', max: 1 },
    role: 'postern_worker',
  })
  const lockedOut = Promise.withResolvers<unknown>()
  const follower = await secretFollower({
    ...{ sql, journal: testJournal(), store: memorySecretStore(), pointers: secretPointers() },
    ...{ process: await world.startProcess(), log: silentLog(), now: () => new Date() },
    ...{ pollMs: 50, lockedOutMsMax: 200, onLockedOut: lockedOut.resolve },
  })
  followers.push(follower)
  await world.sql.unsafe(`alter role slept_too_long nologin`)
  await world.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where usename = 'slept_too_long'`
  // The server's own word, or the failed connection's of a statement that waited for it.
  expect(isLoginRefused(await lockedOut.promise)).toBe(true)
  await follower.close()
  await sql.end({ timeout: 1 })
  await world.sql.unsafe(`drop role slept_too_long`)
})
