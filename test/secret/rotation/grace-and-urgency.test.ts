import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import type { SuccessionPlan } from '#core/secret/rotation/rotation-target.ts'
import { runRotation } from '#core/secret/rotation/run-rotation.ts'
import { calm, faultsAtEnd, openStage, type Stage } from './hostile-rotation.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'

setDefaultTimeout(60_000)

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

const graceSeconds = 600

/** Users of the target that prove nothing to us, and what `generate` was told. */
async function openGraceful(seed: number) {
  const stage = await openStage(world, seed)
  const plans: SuccessionPlan[] = []
  const { target } = stage
  const run = {
    ...calm(stage),
    target: {
      ...{ ...target, graceSeconds },
      generate: (...args: Parameters<typeof target.generate>) => {
        plans.push(args[1])
        return target.generate(...args)
      },
    },
  }
  return { stage, run, plans }
}

/** Which of the versions are let in at the target and given out by the store. */
async function alive({ store, target }: Stage): Promise<readonly string[]> {
  const versions = await store.versions(secretName)
  const found: string[] = []
  for (const { version } of versions.toReversed()) {
    const members = await store.read(secretName, version).catch(() => undefined)
    if (members !== undefined && target.logIn(members) !== undefined) found.push(version)
  }
  return found
}

async function untilPromoted({ stage, run }: Awaited<ReturnType<typeof openGraceful>>) {
  const { id } = await world.journal.plan(secretName, 'test')
  expect((await runRotation(run, id)).step).toBe('settle')
  return { id, prove: () => world.prove(stage.process, stage.store) }
}

const passGrace = (id: string) => world.sql`
  update postern_secret_rotation set retire_after = now() where id = ${id}`

test('users who prove nothing have the time of grace, in which both versions work', async () => {
  const opened = await openGraceful(11)
  const { stage, run } = opened
  const { id, prove } = await untilPromoted(opened)
  await prove()
  for (const _ of [1, 2, 3]) {
    const rotation = await runRotation(run, id)
    expect(rotation).toMatchObject({ step: 'retire', isDrained: false, attempts: 0 })
    expect(await alive(stage)).toEqual(['1', '2'])
  }
  const [row] = await world.sql<{ seconds: number }[]>`
    select extract(epoch from retire_after - now())::float8 as seconds
    from postern_secret_rotation where id = ${id}`
  expect(Math.round((row?.seconds ?? 0) / 60)).toBe(graceSeconds / 60)
  await passGrace(id)
  const rotation = await runRotation(run, id)
  expect(rotation).toMatchObject({ step: 'done', isDrained: true })
  expect(await faultsAtEnd(stage, rotation)).toEqual([])
  expect(await alive(stage)).toEqual(['2'])
})

test('the time of grace begins with the proof of every process, and not before', async () => {
  const opened = await openGraceful(12)
  const silent = await world.startProcess()
  const { id, prove } = await untilPromoted(opened)
  await prove()
  expect(await runRotation(opened.run, id)).toMatchObject({ step: 'settle', attempts: 2 })
  const rows = () => world.sql`
    select 1 from postern_secret_rotation where id = ${id} and retire_after is not null`
  expect(await rows()).toHaveLength(0)
  await world.prove(silent, opened.stage.store)
  expect((await runRotation(opened.run, id)).step).toBe('retire')
  expect(await rows()).toHaveLength(1)
})

test('the time of grace begins once the store calls the new version current: its users see nothing else', async () => {
  const opened = await openGraceful(20)
  const { stage, run } = opened
  const lagging = {
    ...run,
    store: {
      ...run.store,
      promote: () =>
        Promise.reject(new PosternError('secret.unavailable', { reason: 'labels stand still' })),
    },
  }
  const { id } = await world.journal.plan(secretName, 'test')
  expect((await runRotation(lagging, id)).step).toBe('settle')
  await world.prove(stage.process, stage.store)
  const waiting = await runRotation(lagging, id)
  expect(waiting).toMatchObject({ step: 'settle', isDrained: true })
  expect(waiting.error).toContain('labels stand still')
  expect(await stage.store.currentVersion(secretName)).toBe('1')
  expect(await runRotation(run, id)).toMatchObject({ step: 'retire', isDrained: false })
  expect(await stage.store.currentVersion(secretName)).toBe('2')
})

test('a rotation without users of that sort is done at once', async () => {
  const { stage } = await openGraceful(13)
  const { id } = await world.journal.plan(secretName, 'test')
  await runRotation(calm(stage), id)
  await world.prove(stage.process, stage.store)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'done' })
})

test('an urgent rotation waits for no process and no grace, and its target is told', async () => {
  const { stage, run, plans } = await openGraceful(14)
  const { id } = await world.journal.plan(secretName, 'test', 'urgent')
  const rotation = await runRotation(run, id)
  expect(rotation).toMatchObject({ step: 'done', isUrgent: true })
  expect(plans).toEqual([{ rotation: id, isUrgent: true }])
  expect(await alive(stage)).toEqual(['2'])
  expect(await world.journal.unproved(secretName)).toHaveLength(1)
})

test('one that can wait tells its target so', async () => {
  const opened = await openGraceful(15)
  const { id } = await untilPromoted(opened)
  expect(opened.plans).toEqual([{ rotation: id, isUrgent: false }])
})

test('hurried, a rotation that waits for a process goes on without it', async () => {
  const opened = await openGraceful(16)
  const { id } = await untilPromoted(opened)
  const hurried = await world.journal.hurry(await world.journal.read(id))
  expect(hurried).toMatchObject({ step: 'settle', isUrgent: true })
  expect(await runRotation(opened.run, id)).toMatchObject({ step: 'done' })
  expect(await alive(opened.stage)).toEqual(['2'])
})

test('hurried, a rotation in its time of grace ends it', async () => {
  const opened = await openGraceful(17)
  const { id, prove } = await untilPromoted(opened)
  await prove()
  const draining = await runRotation(opened.run, id)
  expect(draining.isDrained).toBe(false)
  expect(await world.journal.hurry(draining)).toMatchObject({ step: 'retire', isDrained: true })
  expect(await runRotation(opened.run, id)).toMatchObject({ step: 'done' })
  expect(await alive(opened.stage)).toEqual(['2'])
})

test('hurried behind the back of who sees another step, nothing is changed', async () => {
  const opened = await openGraceful(18)
  const { id, prove } = await untilPromoted(opened)
  const seen = await world.journal.read(id)
  await prove()
  await runRotation(opened.run, id)
  await expect(world.journal.hurry(seen)).rejects.toMatchObject({
    code: 'secret.rotation_overtaken',
  })
  expect(await world.journal.read(id)).toMatchObject({ step: 'retire', isUrgent: false })
})

test('an urgent rotation that is rolled back waits for nobody either', async () => {
  const opened = await openGraceful(19)
  const { id } = await untilPromoted(opened)
  const waiting = await world.journal.hurry(await world.journal.read(id))
  await world.journal.rollBack(waiting, 'wrong secret')
  expect(await runRotation(opened.run, id)).toMatchObject({ step: 'undone' })
  expect(await alive(opened.stage)).toEqual(['1'])
})

test('hurried between the proof and the grace, it has no grace', async () => {
  const opened = await openGraceful(17)
  const { id } = await untilPromoted(opened)
  const seen = await world.journal.read(id)
  await world.journal.hurry(seen)
  expect(await world.journal.settled(seen, 3_600)).toMatchObject({
    step: 'retire',
    isDrained: true,
  })
})
