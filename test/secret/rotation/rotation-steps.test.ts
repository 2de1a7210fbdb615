import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { runRotation } from '#core/secret/rotation/run-rotation.ts'
import { eventually } from '../../integration/world.ts'
import { memorySecretStore } from '../memory-secret-store.ts'
import {
  calm,
  faultsAtEnd,
  faultsNow,
  first,
  hostile,
  hostileRotation,
  isRefused,
  openStage,
  runUntilEnded,
  shapeNames,
} from './hostile-rotation.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'
import { pair } from './scripted-target.ts'

setDefaultTimeout(300_000)
/** `test/fault/rotation-steps.ts` runs a thousand. */
const runs = 100

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

test('a rotation whose calls die, fail and lose their answers ends with one version that works', async () => {
  for (let seed = 1; seed <= runs; seed += 1) {
    const step = isRefused(seed) ? 'undone' : 'done'
    expect({ seed, ...(await hostileRotation(world, seed)) }).toEqual({ seed, faults: [], step })
  }
})

test('twenty rotations in a row go back and forth between the two users', async () => {
  const stage = await openStage(world, 7)
  const users: (string | undefined)[] = []
  for (let round = 0; round < 20; round += 1) {
    const { id } = await world.journal.plan(secretName, 'test')
    const rotation = await runUntilEnded(stage, id, calm(stage))
    expect(await faultsAtEnd(stage, rotation)).toEqual([])
    users.push((await stage.store.read(secretName, rotation.pending ?? ''))['user'])
  }
  expect(users).toEqual(Array.from({ length: 20 }, (_, round) => pair[(round + 1) % 2]))
})

test('a second rotation of a secret is refused while one is open', async () => {
  await openStage(world, 1)
  await world.journal.plan(secretName, 'test')
  await expect(world.journal.plan(secretName, 'other')).rejects.toMatchObject({
    code: 'secret.rotation_open',
  })
  await expect(world.journal.plan('postern/other', 'test')).rejects.toMatchObject({
    code: 'secret.unknown',
  })
})

test('a process that never proves the new version stops the rotation before anything is retired', async () => {
  const stage = await openStage(world, 3)
  const silent = await world.startProcess()
  const { id } = await world.journal.plan(secretName, 'test')
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    await world.prove(stage.process, stage.store)
    const rotation = await runRotation(calm(stage), id)
    expect(rotation).toMatchObject({ step: 'settle', attempts: attempt })
    expect(rotation.error).toContain('secret.unproved')
    expect(rotation.error).toContain(silent)
  }
  const { current, previous } = (await world.journal.pointer(secretName)) ?? {}
  for (const version of [current, previous]) {
    const members = await stage.store.read(secretName, version ?? '')
    expect(stage.target.logIn(members)).toMatchObject({ isOpen: true })
  }
  await world.sql`update postern_process set seen_at = now() - interval '31 seconds' where id = ${silent}`
  expect(await runUntilEnded(stage, id, calm(stage))).toMatchObject({ step: 'done' })
})

test.each([
  ['the database was away for longer than a heartbeat', '-40 seconds'],
  ['its clock was moved by 90 days', '-90 days'],
  ['its clock was set back by an hour', '1 hour'],
])('where %s, who is alive is heard before it is given up', async (_, since) => {
  const stage = await openStage(world, 6)
  const { id } = await world.journal.plan(secretName, 'test')
  await world.sql`update postern_process set seen_at = now() + ${since}::interval`
  const running = runRotation({ ...calm(stage), patienceMs: 4_000 }, id)
  await eventually(async () => (await world.journal.read(id)).step === 'settle')
  await world.sql`update postern_process set seen_at = now()`
  expect(await running).toMatchObject({ step: 'settle', attempts: 1 })
  await world.prove(stage.process, stage.store)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'done' })
})

test('who stays silent for so long is given up', async () => {
  const stage = await openStage(world, 7)
  const { id } = await world.journal.plan(secretName, 'test')
  await world.sql`update postern_process set seen_at = now() - interval '31 seconds'`
  expect(await runRotation({ ...calm(stage), patienceMs: 2_000 }, id)).toMatchObject({
    step: 'done',
  })
})

test('what is put off beyond any delay was so before the clock was set back, and is due', async () => {
  await openStage(world, 8)
  const { id } = await world.journal.plan(secretName, 'test')
  const putOff = async (by: string) => {
    await world.sql`update postern_secret_rotation set next_try_at = now() + ${by}::interval`
    return (await world.journal.due()).map((one) => one.id)
  }
  expect(await putOff('290 seconds')).toEqual([])
  expect(await putOff('1 hour')).toEqual([id])
})

test('a process that reads another value under the version has proved nothing', async () => {
  const stage = await openStage(world, 4)
  const { id } = await world.journal.plan(secretName, 'test')
  await runRotation(calm(stage), id)
  const elsewhere = { read: async () => ({ user: 'other', password: 'environment' }) }
  await world.prove(stage.process, elsewhere)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'settle' })
  await world.prove(stage.process, stage.store)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'done' })
})

test('a store of another environment is refused before anything is written to it', async () => {
  const stage = await openStage(world, 5)
  const elsewhere = memorySecretStore()
  const secret = { members: { ...first, password: 'elsewhere' }, rotation: Bun.randomUUIDv7() }
  await elsewhere.stage(secretName, secret)
  const { id } = await world.journal.plan(secretName, 'test')
  const rotation = await runRotation({ ...calm(stage), store: elsewhere }, id)
  expect(rotation).toMatchObject({ step: 'undone', pending: undefined })
  expect(rotation.error).toContain('secret.target_refused')
  expect(rotation.error).toContain('is not the one that is in force here')
  expect(await elsewhere.versions(secretName)).toHaveLength(1)
  expect(await faultsNow(stage)).toEqual([])
})

test('rolled back before it is settled, the old version is in force and the new one dies', async () => {
  const stage = await openStage(world, 6)
  const { id } = await world.journal.plan(secretName, 'test')
  const waiting = await runRotation(calm(stage), id)
  expect(waiting.step).toBe('settle')
  await world.prove(stage.process, stage.store)
  await world.journal.rollBack(waiting, 'operator')
  const unproved = await runRotation(calm(stage), id)
  expect(unproved.step).toBe('settle')
  const rotation = await runUntilEnded(stage, id, calm(stage))
  expect(rotation.step).toBe('undone')
  expect(await faultsAtEnd(stage, rotation)).toEqual([])
})

test('a step that another one has taken is not taken again', async () => {
  await openStage(world, 9)
  const planned = await world.journal.plan(secretName, 'test')
  const version = { pending: '2', fingerprint: 'ab' }
  await world.journal.staged(planned, version)
  const overtaken = { code: 'secret.rotation_overtaken' }
  await expect(world.journal.staged(planned, version)).rejects.toMatchObject(overtaken)
  await expect(world.journal.end(planned)).rejects.toMatchObject(overtaken)
  await expect(world.journal.failed(planned, { error: 'late', retryMs: 1 })).rejects.toMatchObject(
    overtaken,
  )
})

test.each(shapeNames)(
  'no journal and no audit record of a rotation of %s holds a value',
  async (shape) => {
    const stage = await openStage(world, 8, shape)
    const { id } = await world.journal.plan(secretName, 'test')
    const before = await stage.store.read(secretName, '1')
    const { pending = '' } = await runUntilEnded(stage, id, hostile(stage, [], 0.1))
    const after = await stage.store.read(secretName, pending)
    const values = [before, after].map(({ password, key }) => password ?? key ?? '')
    const rows = await world.sql`
    select to_jsonb(r)::text as text from postern_secret_rotation r
    union all select to_jsonb(s)::text from postern_secret s
    union all select convert_from(body, 'UTF8') from postern_audit_intake`
    expect(rows.length).toBeGreaterThan(7)
    expect(values).not.toContain('')
    for (const { text } of rows) {
      for (const value of values) expect(text).not.toContain(`"${value}"`)
      expect(text).not.toContain(values[1])
    }
  },
)
