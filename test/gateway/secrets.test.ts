import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { secretReads } from '#core/secret/rotation/secret-reads.ts'
import { secretRoutes } from '#gateway/routes/secrets.ts'
import { memorySecretStore } from '../secret/memory-secret-store.ts'
import {
  openRotationWorld,
  type RotationWorld,
  secretName,
} from '../secret/rotation/rotation-world.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

setDefaultTimeout(60_000)

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

async function get(subject: string): Promise<Response> {
  const routes = secretRoutes({ secrets: secretReads(world.sql) })
  const gateway = memoryGateway({ overrides: { routes } })
  return await gateway.request('/internal/secrets', {
    headers: { authorization: `Bearer ${subject}` },
  })
}

test('without the scope nobody learns of a secret', async () => {
  const answer = await get('none')
  expect(await problemIn(answer)).toMatchObject({ status: 403, code: 'access.scope_missing' })
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
      },
    ],
  })
  await world.sql`update postern_secret set due_at = now() + interval '1 minute'`
  const later = JSON.parse(await (await get('all')).text())
  expect(later).toMatchObject({ secrets: [{ is_due: false }] })
})
