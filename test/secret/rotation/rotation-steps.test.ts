import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { hasEnded, type Rotation } from '#core/secret/rotation/rotation.ts'
import type { RotationJournal } from '#core/secret/rotation/rotation-journal.ts'
import { type RotationRun, runRotation } from '#core/secret/rotation/run-rotation.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { type MemorySecretStore, memorySecretStore } from '../memory-secret-store.ts'
import { openRotationWorld, type RotationWorld, secretName } from './rotation-world.ts'
import { pair, type ScriptedTarget, scriptedTarget } from './scripted-target.ts'

setDefaultTimeout(300_000)
/** Each dies, fails and loses answers in its own way. */
const runs = 100

let world: RotationWorld
beforeAll(async () => {
  world = await openRotationWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

const first: SecretMembers = { user: pair[0], password: 'first', url: 'postgres://server' }

class Killed extends Error {}

type Stage = {
  readonly store: MemorySecretStore
  readonly target: ScriptedTarget
  readonly process: string
  readonly random: () => number
}

async function openStage(seed: number): Promise<Stage> {
  await world.clear()
  const random = seededRandom(seed)
  const store = memorySecretStore()
  const version = await store.stage(secretName, { members: first, rotation: Bun.randomUUIDv7() })
  await world.adopt(version, first)
  const process = await world.startProcess()
  await world.prove(process, store)
  return { store, target: scriptedTarget(first, random), process, random }
}

const calm = (stage: Stage): RotationRun => ({
  ...{ journal: world.journal, store: stage.store, target: stage.target },
  ...{ fingerprintKey: world.fingerprintKey, random: stage.random, patienceMs: 0 },
  signal: new AbortController().signal,
})

/** What is in force logs in, at any time; so does the one before it, until it is retired. */
async function faultsNow({ store, target }: Stage): Promise<readonly string[]> {
  const pointer = await world.journal.pointer(secretName)
  if (pointer === undefined) return ['no pointer']
  const members = await store.read(secretName, pointer.current).catch(() => undefined)
  if (members === undefined) return [`${pointer.current} is in force and cannot be read`]
  return target.logIn(members) === undefined ? [`${pointer.current} is in force and refused`] : []
}

/** Calls die, fail, or lose their answers: each before or after what they do. */
function hostile(stage: Stage, faults: string[], chance: number): RotationRun {
  const { random } = stage
  const wrap =
    <Args extends unknown[], Result>(name: string, call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const dice = random()
      if (dice < chance) throw new Killed(`before ${name}`)
      if (dice < 2 * chance) throw new PosternError('secret.unavailable', { reason: name })
      const result = await call(...args)
      faults.push(...(await faultsNow(stage)))
      if (dice < 3 * chance) throw new Killed(`after ${name}`)
      if (dice < 4 * chance)
        throw new PosternError('secret.unavailable', { reason: `lost ${name}` })
      return result
    }
  const { store, target, journal } = calm(stage)
  return {
    ...calm(stage),
    store: {
      read: wrap('read', store.read),
      stage: wrap('stage', store.stage),
      promote: wrap('promote labels', store.promote),
      disable: wrap('disable', store.disable),
    },
    target: {
      generate: target.generate,
      set: wrap('set', target.set),
      test: wrap('test', target.test),
      retire: wrap('retire', target.retire),
      isRefused: wrap('probe', target.isRefused),
    },
    journal: {
      ...journal,
      staged: wrap('staged', journal.staged),
      move: wrap('move', journal.move),
      promote: wrap('promote', journal.promote),
      end: wrap('end', journal.end),
      undo: wrap('undo', journal.undo),
    } satisfies RotationJournal,
  }
}

async function runUntilEnded(stage: Stage, id: string, run: RotationRun): Promise<Rotation> {
  for (let turn = 0; turn < 500; turn += 1) {
    const runner = () =>
      runRotation(run, id).catch((error: unknown) => {
        if (!(error instanceof Killed) && !(error instanceof PosternError)) throw error
      })
    // Now and then a second rotator is at it too.
    await Promise.all(stage.random() < 0.2 ? [runner(), runner()] : [runner()])
    if (stage.random() < 0.5) await world.prove(stage.process, stage.store).catch(() => undefined)
    const rotation = await world.journal.read(id)
    if (hasEnded(rotation)) return rotation
  }
  throw new Error('it never ended')
}

/** What must be so when a rotation has ended, whatever has happened on its way. */
async function faultsAtEnd(stage: Stage, rotation: Rotation): Promise<readonly string[]> {
  const { store, target } = stage
  const { base, pending, step } = rotation
  const pointer = await world.journal.pointer(secretName)
  const kept = step === 'done' ? pending : base
  const faults = [...(await faultsNow(stage))]
  if (pointer?.current !== kept) faults.push(`${step}, yet ${pointer?.current} is in force`)
  if ((await store.currentVersion(secretName)) !== kept) faults.push('the label is another')
  const versions = await store.versions(secretName)
  const enabled = versions.filter(({ isEnabled }) => isEnabled).map(({ version }) => version)
  if (enabled.join() !== kept) faults.push(`enabled: ${enabled.join()}, kept ${kept}`)
  const open = target.sessions.filter(({ isOpen }) => isOpen).map(({ user }) => user)
  if (new Set(open).size > 1) faults.push(`sessions of ${[...new Set(open)].join()}`)
  return faults
}

test('a rotation whose calls die, fail and lose their answers ends with one version that works', async () => {
  const ends = { done: 0, undone: 0 }
  for (let seed = 1; seed <= runs; seed += 1) {
    const stage = await openStage(seed)
    if (seed % 5 === 0) stage.target.withholdFrom(pair[1])
    const { id } = await world.journal.plan(secretName, 'test')
    const faults: string[] = []
    const rotation = await runUntilEnded(stage, id, hostile(stage, faults, 0.04))
    faults.push(...(await faultsAtEnd(stage, rotation)))
    expect({ seed, faults }).toEqual({ seed, faults: [] })
    expect(rotation.step).toBe(seed % 5 === 0 ? 'undone' : 'done')
    ends[seed % 5 === 0 ? 'undone' : 'done'] += 1
  }
  expect(ends.done + ends.undone).toBe(runs)
})

test('twenty rotations in a row go back and forth between the two users', async () => {
  const stage = await openStage(7)
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
  await openStage(1)
  await world.journal.plan(secretName, 'test')
  await expect(world.journal.plan(secretName, 'other')).rejects.toMatchObject({
    code: 'secret.rotation_open',
  })
  await expect(world.journal.plan('postern/other', 'test')).rejects.toMatchObject({
    code: 'secret.not_found',
  })
})

test('a process that never proves the new version stops the rotation before anything is retired', async () => {
  const stage = await openStage(3)
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

test('a process that reads another value under the version has proved nothing', async () => {
  const stage = await openStage(4)
  const { id } = await world.journal.plan(secretName, 'test')
  await runRotation(calm(stage), id)
  const elsewhere = { read: async () => ({ user: 'other', password: 'environment' }) }
  await world.prove(stage.process, elsewhere)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'settle' })
  await world.prove(stage.process, stage.store)
  expect(await runRotation(calm(stage), id)).toMatchObject({ step: 'done' })
})

test('a store of another environment is refused before anything is written to it', async () => {
  const stage = await openStage(5)
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
  const stage = await openStage(6)
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
  await openStage(9)
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

test('no journal and no audit record of a rotation holds a value', async () => {
  const stage = await openStage(8)
  const { id } = await world.journal.plan(secretName, 'test')
  const { pending = '' } = await runUntilEnded(stage, id, hostile(stage, [], 0.1))
  const values = [first['password'], (await stage.store.read(secretName, pending))['password']]
  const rows = await world.sql`
    select to_jsonb(r)::text as text from postern_secret_rotation r
    union all select to_jsonb(s)::text from postern_secret s
    union all select convert_from(body, 'UTF8') from postern_audit_intake`
  expect(rows.length).toBeGreaterThan(7)
  for (const { text } of rows) {
    for (const value of values) expect(text).not.toContain(value)
  }
})
