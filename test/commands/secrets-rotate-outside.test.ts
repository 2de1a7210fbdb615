import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type ElastiCacheDouble, elastiCacheDouble } from '#test/doubles/elasticache-double.ts'
import { type KeyHookDouble, keyHookDouble } from '#test/doubles/key-hook-double.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { writeKeyFile } from '../secret/key-file.ts'
import {
  openRotationWorld,
  type RotationWorld,
  secretName,
} from '../secret/rotation/rotation-world.ts'
import { runPostern } from './run-postern.ts'

setDefaultTimeout(60_000)

const users = ['red_a', 'red_b'] as const
const userIds = ['desk-red-a', 'desk-red-b'] as const
const rules = 'on ~{postern-* &* +@all -@dangerous +client'
const token = 'the-token-of-the-hook'
const hooked = 'desk/feed'

let folder: string
let world: RotationWorld
let server: RedisServer
let root: Redis
let cloud: ElastiCacheDouble
let provider: KeyHookDouble
let store: SecretStore
let settings: Record<string, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-outside-'))
  world = await openRotationWorld()
  server = await startRedis()
  root = new Redis(server.url)
  cloud = elastiCacheDouble(root)
  provider = keyHookDouble(token)
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  store = fileSecretStore(files)
  const [a, b] = users
  const first = { name: a, accessString: rules, passwords: ['the-first-password'] }
  await cloud.add(userIds[0], first)
  const second = { name: b, accessString: 'off -@all', passwords: ['nobody-knows-this-one'] }
  await cloud.add(userIds[1], second)
  const url = new URL(server.url)
  ;[url.username, url.password] = [a, 'the-first-password']
  await writeFileSecret({ ...files, name: secretName, members: { url: url.href } })
  await writeFileSecret({ ...files, name: hooked, members: { id: 'id-0', key: 'the-first-key' } })
  await writeFileSecret({ ...files, name: 'desk/hook', members: { token } })
  provider.keys.set('id-0', 'the-first-key')
  await world.adopt('1', await store.read(secretName, '1'))
  settings = {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: world.url,
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: files.secretFile,
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'its secret',
  }
})
afterAll(async () => {
  root.disconnect()
  await Promise.all([cloud.stop(), provider.stop(), server.stop('SIGKILL'), world.close()])
  await rm(folder, { recursive: true })
})

const secrets = (args: readonly string[]) => runPostern(['secrets', ...args], { folder, settings })

async function recorded(): Promise<string> {
  const rows = await world.sql<{ text: string }[]>`
    select to_jsonb(r)::text as text from postern_secret_rotation r
    union all select to_jsonb(s)::text from postern_secret s
    union all select convert_from(body, 'UTF8') from postern_audit_intake`
  return rows.map(({ text }) => text).join('\n')
}

test('a login of ElastiCache is rotated there and back, by the API of the cloud', async () => {
  const described = await secrets([
    ...['set-rotation', secretName, '--kind', 'elasticache-user', '--users', users.join()],
    ...['--user-ids', userIds.join(), '--region', 'eu-central-1', '--endpoint', cloud.url],
  ])
  expect(described).toMatchObject({ code: 0, error: '' })
  for (const [user, other, versions] of [
    ['red_b', 'desk-red-a', '1 → 2'],
    ['red_a', 'desk-red-b', '2 → 3'],
  ] as const) {
    const { code, out, error } = await secrets(['rotate', secretName])
    expect(code).toBe(0)
    expect(out).toContain(`${versions} done`)
    const url = new URL((await store.read(secretName, versions.slice(-1)))['url'] ?? '')
    expect(url.username).toBe(user)
    expect(await root.call('ACL', 'DRYRUN', user, 'SET', '{postern-x}:key', 'v')).toBe('OK')
    expect(cloud.users.get(other)).toMatchObject({ status: 'active', accessString: 'off -@all' })
    const told = `${out}${error}${await recorded()}`
    expect(told).not.toContain(url.password)
  }
})

test('a key of a hook is rotated, and the old one is refused by its provider', async () => {
  const described = await secrets([
    ...['set-rotation', hooked, '--kind', 'api-key', '--grace-seconds', '0'],
    ...['--hook', provider.url, '--hook-token', 'secret:desk/hook#token'],
  ])
  expect(described).toMatchObject({ code: 0, error: '' })
  const { code, out, error } = await secrets(['rotate', hooked])
  expect(code).toBe(0)
  expect(out).toContain('1 → 2 done')
  expect(provider.called).toEqual(['create', 'test', 'retire', 'probe'])
  const { id = '', key = '' } = await store.read(hooked, '2')
  expect([...provider.keys]).toEqual([[id, key]])
  const told = `${out}${error}${await recorded()}`
  for (const value of [key, token, 'the-first-key']) expect(told).not.toContain(value)
})

test('a hook that refuses undoes the rotation, and the key in force stays', async () => {
  provider.strike({ kind: 'answer', status: 403, body: 'the-first-key' })
  const { code, out } = await secrets(['rotate', hooked])
  expect(code).toBe(1)
  expect(out).toContain('undone: secret.target_refused')
  expect(out).toContain(`the hook answered create of ${hooked} with 403`)
  expect(await store.currentVersion(hooked)).toBe('2')
  expect(provider.keys.size).toBe(1)
})
