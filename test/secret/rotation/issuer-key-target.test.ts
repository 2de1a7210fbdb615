import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import {
  freshIssuerKeys,
  publishedKeys,
  readIssuerKeys,
  succeedIssuerKeys,
} from '#core/access/issuer-keys.ts'
import { issuerKeyTarget } from '#core/secret/rotation/issuer-key-target.ts'
import { hasEnded, type Rotation } from '#core/secret/rotation/rotation.ts'
import { runRotation } from '#core/secret/rotation/run-rotation.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { privateTexts } from '../../access/issuer-world.ts'
import { calm, faultsAtEnd, hostile, runUntilEnded } from './hostile-rotation.ts'
import { openFleet, openIssuerStage, times } from './issuer-stage.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'

setDefaultTimeout(120_000)

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())

const target = issuerKeyTarget(times)
const first = await freshIssuerKeys()
const second = await succeedIssuerKeys(first)
const plan = { rotation: Bun.randomUUIDv7(), isUrgent: false }

const { next = '', current = '' } = second
test.each<[string, SecretMembers]>([
  ['that is none', { url: 'postgres://x' }],
  [
    'that signs with a key nobody has seen',
    { ...second, current: (await freshIssuerKeys())['current'] ?? '' },
  ],
  ['that forgets the key that signs now', { next, current }],
  ['that brings no new key', { ...second, next: first['current'] ?? '', previous: next }],
  ['that goes back', first],
  ['that is the same', { next: first['next'] ?? '', current: first['current'] ?? '' }],
  [
    'that keeps one key of a revoked one',
    { ...(await freshIssuerKeys()), previous: first['next'] ?? '' },
  ],
])('a pending version %s is refused', async (_, pending) => {
  await expect(target.test({ current: first, pending })).rejects.toMatchObject({
    code: 'secret.target_refused',
  })
})

test('a version in turn passes, and so does one that shares nothing, even with a version that cannot be read', async () => {
  await target.test({ current: first, pending: second })
  await target.test({ current: first, pending: await freshIssuerKeys() })
  await target.test({ current: { current: 'x' }, pending: await freshIssuerKeys() })
  await expect(target.generate({ current: 'x' }, plan)).rejects.toMatchObject({
    code: 'secret.target_refused',
  })
})

test.each([
  [{ ttlSecondsMax: 900, jwksMaxAgeSeconds: 300 }, 930],
  [{ ttlSecondsMax: 5, jwksMaxAgeSeconds: 2 }, 35],
  [{ ttlSecondsMax: 900, jwksMaxAgeSeconds: 86_400 }, 86_400],
])('with %j a rotation stays open for %d s', (each, seconds) => {
  expect(issuerKeyTarget(each).graceSeconds).toBe(seconds)
})

type IssuerStage = Awaited<ReturnType<typeof openIssuerStage>>
type Fleet = Awaited<ReturnType<typeof openFleet>>

/** Something happens: a step of the rotation, or whatever goes on beside it. */
async function takeTurn(stage: IssuerStage, fleet: Fleet, open: Rotation): Promise<Rotation> {
  const dice = stage.random()
  const mayGoBack = open.step === 'settle' && open.promotedAt !== undefined
  if (mayGoBack && dice < 0.05) return await world.journal.rollBack(open, 'test')
  if (dice < 0.3) return await runRotation(calm(stage), open.id)
  if (dice < 0.5) await fleet.follow()
  else if (dice < 0.7) await fleet.mint()
  else await fleet.advance(Math.ceil(stage.random() * 200))
  return open
}

/** Rotations one after the other, some of them rolled back, while gateways lag behind. */
async function simulate(stage: IssuerStage, rotations: number) {
  const fleet = await openFleet(stage)
  const refused: string[] = []
  const ends: Rotation['step'][] = []
  while (ends.filter((end) => end === 'done').length < rotations) {
    // The gateways are alive, however long this takes.
    await world.sql`update postern_process set seen_at = now()`
    let open = await world.journal.plan(secretName, 'test')
    while (!hasEnded(open)) {
      open = await takeTurn(stage, fleet, open)
      for (const verifier of await fleet.refused()) refused.push(verifier)
    }
    ends.push(open.step)
  }
  return { refused, ends: [...new Set(ends)].sort() }
}

test('in 20 rotations, and what was rolled back between them, no token is refused, by gateways a version apart or by who keeps an old key set', async () => {
  const stage = await openIssuerStage(world, { seed: 11 })
  expect(await simulate(stage, 20)).toEqual({ refused: [], ends: ['done', 'undone'] })
})

test('without the wait tokens would be refused: the one before sees what it is for', async () => {
  const stage = await openIssuerStage(world, { seed: 11, target: { graceSeconds: 0 } })
  expect((await simulate(stage, 20)).refused.length).toBeGreaterThan(0)
})

test('until the wait is over the rotation is open, and another one is refused', async () => {
  const stage = await openIssuerStage(world, { seed: 3 })
  const fleet = await openFleet(stage)
  const { id } = await world.journal.plan(secretName, 'test')
  await runRotation(calm(stage), id)
  await fleet.followAll()
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'retire', isDrained: false })
  await expect(world.journal.plan(secretName, 'other')).rejects.toMatchObject({
    code: 'secret.rotation_open',
  })
  await fleet.advance(929)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'retire', isDrained: false })
  await fleet.advance(1)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'done' })
})

test('after a revocation no key lives on, and nothing is waited for', async () => {
  const stage = await openIssuerStage(world, { seed: 4 })
  const { id } = await world.journal.plan(secretName, 'test', 'urgent')
  const { step, pending = '' } = await runRotation(calm(stage), id)
  expect(step).toBe('done')
  const members = await stage.store.read(secretName, pending)
  const known = publishedKeys(await readIssuerKeys(stage.first)).map(({ kid }) => kid)
  const kids = publishedKeys(await readIssuerKeys(members)).map(({ kid }) => kid)
  expect(kids).toHaveLength(2)
  expect(kids.filter((kid) => known.includes(kid))).toEqual([])
})

test('calls that die, fail and lose their answers end with one version, which follows the one before', async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const stage = await openIssuerStage(world, { seed, target: { graceSeconds: 0 } })
    const { id } = await world.journal.plan(secretName, 'test')
    const faults: string[] = []
    const rotation = await runUntilEnded(stage, id, hostile(stage, faults, 0.04))
    faults.push(...(await faultsAtEnd(stage, rotation)))
    expect({ seed, faults, step: rotation.step }).toEqual({ seed, faults: [], step: 'done' })
    const pending = await stage.store.read(secretName, rotation.pending ?? '')
    await target.test({ current: stage.first, pending })
  }
})

test('no private key is in the journal or in a record', async () => {
  const stage = await openIssuerStage(world, { seed: 5, target: { graceSeconds: 0 } })
  const { id } = await world.journal.plan(secretName, 'test')
  const { pending = '' } = await runUntilEnded(stage, id, calm(stage))
  const members = await stage.store.read(secretName, pending)
  const rows = await world.sql`
    select convert_from(body, 'UTF8') as text from postern_audit_intake
    union all select to_jsonb(r)::text from postern_secret_rotation r
    union all select to_jsonb(s)::text from postern_secret s`
  const written = JSON.stringify(rows)
  expect(rows.length).toBeGreaterThan(3)
  for (const secret of privateTexts(members)) expect(written).not.toContain(secret)
})
