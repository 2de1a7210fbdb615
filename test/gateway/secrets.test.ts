import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { z } from 'zod'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import { secretReads } from '#core/secret/rotation/secret-reads.ts'
import { secretRoutes } from '#gateway/routes/secrets.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { memorySecretStore } from '../secret/memory-secret-store.ts'
import {
  openRotationWorld,
  type RotationWorld,
  secretName,
} from '../secret/rotation/rotation-world.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

setDefaultTimeout(60_000)

let world: RotationWorld
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  world = await openRotationWorld()
  const now = () => new Date()
  const { sql, journal: rotations } = world
  const revocations = postgresRevocations({ sql, journal: testJournal(), now })
  const routes = secretRoutes({ secrets: secretReads(sql), rotations, revocations })
  gateway = memoryGateway({ overrides: { routes } })
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.clear()
  await world.sql`truncate postern_revocation, postern_secret_use`
})

const list = '/internal/secrets'
const path = `${list}/${secretName}`
const get = (subject: string) => gateway.request(list, { as: subject })
const post = (act: string, body?: unknown, as = 'all') =>
  body === undefined
    ? gateway.request(`${path}/${act}`, { method: 'POST', as })
    : gateway.post(`${path}/${act}`, body, { as })

async function adopted(): Promise<void> {
  const store = memorySecretStore()
  const members = { url: 'canary-value' }
  await store.stage(secretName, { members, rotation: Bun.randomUUIDv7() })
  await world.adopt('1', members)
}

test.each([
  ['GET', list],
  ['GET', `${path}/rotations`],
  ['POST', `${path}/rotate`],
  ['POST', `${path}/rollback`],
  ['POST', `${path}/revoke`],
])('without the scope %s %s is refused', async (method, at) => {
  const refused = await problemIn(await gateway.request(at, { method, as: 'none' }))
  expect(refused).toMatchObject({ status: 403, code: 'access.scope_missing' })
})

test('a secret is told with its dates, its open rotation and who has proved what, never its value', async () => {
  const store = memorySecretStore()
  const members = { url: 'canary-value' }
  await store.stage(secretName, { members, rotation: Bun.randomUUIDv7() })
  await world.adopt('1', members)
  const proved = await world.startProcess()
  await world.prove(proved, store)
  const silent = await world.startProcess()
  const { id } = await world.journal.plan(secretName, 'test')
  await world.sql`
    insert into postern_secret_use (name, used_by, reads) values (${secretName}, 'worker@h', 3)`
  const answer = await get('all')
  expect(answer.status).toBe(200)
  const text = await answer.text()
  expect(text).not.toContain('canary-value')
  expect(JSON.parse(text)).toMatchObject({
    secrets: [
      {
        ...{ name: secretName, kind: 'scripted', current_version: '1', previous_version: null },
        ...{ rotation_days: 90, is_due: true, rotated_at: null },
        rotation: { id, step: 'stage', attempts: 0, error: null },
        used_by: [
          { process: proved, version: '1', is_proved: true },
          { process: silent, version: null, proved_at: null, is_proved: false },
        ],
        uses: [{ used_by: 'worker@h', reads: 3 }],
      },
    ],
  })
  await world.sql`update postern_secret set due_at = now() + interval '1 minute'`
  const later = JSON.parse(await (await get('all')).text())
  expect(later).toMatchObject({ secrets: [{ is_due: false }] })
})

test.each(['rotate', 'revoke', 'rollback'])('of what nobody uses nothing is to %s', async (act) => {
  const body = act === 'rotate' ? undefined : { reason: 'x' }
  expect((await problemIn(await post(act, body))).code).toBe('secret.unknown')
})

test('what has no rotation is neither rotated nor revoked', async () => {
  await adopted()
  await world.sql`update postern_secret set kind = null`
  expect((await problemIn(await post('rotate'))).code).toBe('secret.no_rotation')
  expect((await problemIn(await post('revoke', { reason: 'x' }))).code).toBe('secret.no_rotation')
})

test('a rotation is opened once, by name of who asked, and is in the history', async () => {
  await adopted()
  const opened = await post('rotate', undefined, 'operator')
  expect(opened.status).toBe(202)
  const rotation = await opened.json()
  expect(rotation).toMatchObject({
    ...{ name: secretName, step: 'stage', base_version: '1', pending_version: null },
    ...{ opened_by: 'https://issuer.example operator', is_urgent: false },
  })
  expect((await problemIn(await post('rotate'))).code).toBe('secret.rotation_open')
  const history = await gateway.request(`${path}/rotations?limit=5`)
  expect(await history.json()).toEqual({ rotations: [rotation] })
})

test('what is not settled cannot be rolled back; what is, is asked for once', async () => {
  await adopted()
  await post('rotate')
  const early = await problemIn(await post('rollback', { reason: 'x' }))
  expect(early).toMatchObject({ status: 409, code: 'secret.rotation_overtaken' })
  await world.sql`
    update postern_secret_rotation set step = 'settle', pending_version = '2',
      promoted_at = date_trunc('milliseconds', now())`
  expect((await post('rollback', { reason: 'the wrong hour' })).status).toBe(202)
  const [row] = await world.sql`select roll_back_reason as reason from postern_secret_rotation`
  expect(row?.['reason']).toBe('the wrong hour')
  expect((await problemIn(await post('rollback', {}))).errors?.[0]?.pointer).toBe('/reason')
})

test.each([
  ['/login', { version: '1', login: 'app_a', reason: 'x' }],
  ['/version', { version: 'a b', reason: 'x' }],
  ['/reason', { version: '1' }],
])('a revocation is refused at %s', async (pointer, body) => {
  await adopted()
  const problem = await problemIn(await post('revoke', body))
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
})

test.each([
  [{ reason: 'leaked' }, 'secret', `${secretName}@1`],
  [{ version: '7', reason: 'leaked' }, 'secret', `${secretName}@7`],
  [{ login: 'app_a', reason: 'leaked' }, 'credential', `${secretName}:app_a`],
])('%j revokes a %s', async (body, of, value) => {
  await adopted()
  const answer = await post('revoke', body)
  const revoked = z.object({ class: z.string(), value: z.string(), state: z.string() })
  expect(revoked.parse(await answer.json())).toEqual({ class: of, value, state: 'in_force' })
})

test.each(['Postern/x', 'a%2Fb', 'a//b', `a${'b'.repeat(127)}`])(
  'no secret is called %p',
  async (name) => {
    const answer = await gateway.request(`${list}/${name}/rotate`, { method: 'POST' })
    expect([400, 404]).toContain((await problemIn(answer)).status)
  },
)
