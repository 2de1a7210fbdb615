import { PosternError } from '#core/errors.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { hasEnded, type Rotation } from '#core/secret/rotation/rotation.ts'
import type { RotationJournal } from '#core/secret/rotation/rotation-journal.ts'
import { type RotationRun, runRotation } from '#core/secret/rotation/run-rotation.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { type MemorySecretStore, memorySecretStore } from '../memory-secret-store.ts'
import { type RotationWorld, secretName } from './rotation-world.ts'
import { overlappingKeyTarget, scriptedHookTarget } from './scripted-keys.ts'
import { pair, type ScriptedTarget, scriptedTarget } from './scripted-target.ts'

/** What the target lets in before the first rotation. */
export const first: SecretMembers = { user: pair[0], password: 'first', url: 'postgres://server' }

/** What a rotation has to do with its target; each kind is of one. */
const shapes = {
  'two users': { first, open: scriptedTarget },
  'overlapping keys': { first: { key: 'first' }, open: overlappingKeyTarget },
  'keys of a hook': { first: { id: 'id-0', key: 'first' }, open: scriptedHookTarget },
} as const satisfies Record<
  string,
  {
    readonly first: SecretMembers
    readonly open: (first: SecretMembers, random: () => number) => ScriptedTarget
  }
>
type Shape = keyof typeof shapes

export const shapeNames = ['two users', 'overlapping keys', 'keys of a hook'] as const

const shapeOf = (seed: number): Shape => shapeNames[seed % shapeNames.length] ?? shapeNames[0]

export class Killed extends Error {}

export type Stage = {
  readonly world: RotationWorld
  readonly store: MemorySecretStore
  readonly target: ScriptedTarget
  readonly process: string
  readonly random: () => number
}

export async function openStage(
  world: RotationWorld,
  seed: number,
  shape: Shape = 'two users',
): Promise<Stage> {
  const { first: members, open } = shapes[shape]
  await world.clear()
  const random = seededRandom(seed)
  const store = memorySecretStore()
  const version = await store.stage(secretName, { members, rotation: Bun.randomUUIDv7() })
  await world.adopt(version, members)
  const process = await world.startProcess()
  await world.prove(process, store)
  return { world, store, target: open(members, random), process, random }
}

export const calm = (stage: Stage): RotationRun => ({
  ...{ journal: stage.world.journal, store: stage.store, target: stage.target },
  ...{ fingerprintKey: stage.world.fingerprintKey, random: stage.random, patienceMs: 0 },
  signal: new AbortController().signal,
})

/** What is in force logs in, at any time, unless a thief has changed its password; so does the one before it, until it is retired. */
export async function faultsNow({ world, store, target }: Stage): Promise<readonly string[]> {
  const pointer = await world.journal.pointer(secretName)
  if (pointer === undefined) return ['no pointer']
  const members = await store.read(secretName, pointer.current).catch(() => undefined)
  if (members === undefined) return [`${pointer.current} is in force and cannot be read`]
  if (target.logIn(members) !== undefined || target.thief?.has(members) === true) return []
  return [`${pointer.current} is in force and refused`]
}

/** Calls die, fail, or lose their answers: each before or after what they do. */
export function hostile(stage: Stage, faults: string[], chance: number): RotationRun {
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
      generate: wrap('generate', async (...args: Parameters<typeof target.generate>) =>
        target.generate(...args),
      ),
      ...(target.discard === undefined ? {} : { discard: wrap('discard', target.discard) }),
      set: wrap('set', target.set),
      test: wrap('test', target.test),
      retire: wrap('retire', target.retire),
      isRefused: wrap('probe', target.isRefused),
      ...(target.logins === undefined ? {} : { logins: target.logins }),
    },
    journal: {
      ...journal,
      staged: wrap('staged', journal.staged),
      move: wrap('move', journal.move),
      settled: wrap('settled', journal.settled),
      promote: wrap('promote', journal.promote),
      end: wrap('end', journal.end),
      undo: wrap('undo', journal.undo),
      hurry: wrap('hurry', journal.hurry),
      rollBack: wrap('roll back', journal.rollBack),
      plan: wrap('plan', journal.plan),
    } satisfies RotationJournal,
  }
}

export async function runUntilEnded(stage: Stage, id: string, run: RotationRun): Promise<Rotation> {
  const { world } = stage
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
export async function faultsAtEnd(stage: Stage, rotation: Rotation): Promise<readonly string[]> {
  const { world, store, target } = stage
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
  faults.push(...(target.faultsAtEnd?.() ?? []))
  return faults
}

/** One rotation among calls that die, fail and lose their answers; every fifth is refused by the target. */
export async function hostileRotation(
  world: RotationWorld,
  seed: number,
): Promise<{ readonly faults: readonly string[]; readonly step: Rotation['step'] }> {
  const stage = await openStage(world, seed, shapeOf(seed))
  if (isRefused(seed)) stage.target.withholdFrom(pair[1])
  const { id } = await world.journal.plan(secretName, 'test')
  const faults: string[] = []
  const rotation = await runUntilEnded(stage, id, hostile(stage, faults, 0.04))
  return { faults: [...faults, ...(await faultsAtEnd(stage, rotation))], step: rotation.step }
}

export const isRefused = (seed: number) => seed % 5 === 0
