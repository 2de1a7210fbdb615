import { PosternError } from '#core/errors.ts'
import { pendingRevocations } from '#core/revocation/pending-revocations.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import { revokeSecret } from '#core/secret/rotation/revoke-secret.ts'
import { hasEnded } from '#core/secret/rotation/rotation.ts'
import { type RotationRun, runRotation } from '#core/secret/rotation/run-rotation.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { faultsNow, hostile, Killed, openStage, type Stage } from './hostile-rotation.ts'
import { type RotationWorld, secretName } from './rotation-world.ts'

const shapes = ['two users', 'keys of a hook'] as const
const stepsMax = 12
const turnsMax = 300

/** A rotator that dies and comes back; a refusal or an outage is its next turn's business. */
async function survive(run: () => Promise<unknown>): Promise<void> {
  await run().catch((error: unknown) => {
    if (!(error instanceof Killed) && !(error instanceof PosternError)) throw error
  })
}

/** Some calls of a rotation, so that the revocation finds it anywhere. */
async function beginRotation(stage: Stage, run: RotationRun): Promise<void> {
  const { world, random } = stage
  const { id } = await world.journal.plan(secretName, 'test')
  const stopping = new AbortController()
  let left = Math.floor(random() * stepsMax)
  const onStep = () => {
    left -= 1
    if (left < 0) stopping.abort()
  }
  for (let turn = 0; turn < 2; turn += 1) {
    await survive(() => runRotation({ ...run, signal: stopping.signal, onStep }, id))
    if (random() < 0.5) await world.prove(stage.process, stage.store).catch(() => undefined)
  }
}

type Revoking = {
  readonly stage: Stage
  readonly run: RotationRun
  readonly members: Parameters<Stage['target']['logIn']>[0]
  readonly faults: string[]
}

/** One look of a rotator: every revocation that is pending, and the rotation that is open. */
async function look({ stage, run, members, faults }: Revoking): Promise<void> {
  const { world, random, target } = stage
  const pending = pendingRevocations(world.sql)
  const [last] = await world.journal.history(secretName, 1)
  const rotating =
    last === undefined || hasEnded(last) ? [] : [survive(() => runRotation(run, last.id))]
  const revoking = (await pending.list()).map((revocation) => {
    const onEffective = async () => {
      if (target.logIn(members) !== undefined) faults.push('told to be effective, and let in')
      if (random() < 0.2) throw new PosternError('database.unavailable', { reason: 'settling' })
      await pending.settle(revocation.id)
    }
    return survive(() => revokeSecret({ ...run, onEffective }, revocation))
  })
  await Promise.all([...rotating, ...revoking])
}

/** The version in force is revoked at any moment of a rotation, while calls die, fail and get lost. */
export async function hostileRevocation(
  world: RotationWorld,
  seed: number,
): Promise<readonly string[]> {
  await world.sql`truncate postern_revocation`
  const stage = await openStage(world, seed, shapes[seed % shapes.length] ?? shapes[0])
  const { random, store } = stage
  const faults: string[] = []
  const run = hostile(stage, faults, 0.03)
  if (random() < 0.8) await beginRotation(stage, run)
  const version = (await world.journal.pointer(secretName))?.current ?? ''
  const members = await store.read(secretName, version)
  await postgresRevocations({
    ...{ sql: world.sql, journal: testJournal(), now: () => new Date() },
  }).revoke({
    ...{ class: 'secret', issuer: '', value: `${secretName}@${version}`, reason: 'leaked' },
    ...{ until: undefined, by: 'ann' },
  })
  const revoking = { stage, run, members, faults }
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const looks = random() < 0.3 ? [look(revoking), look(revoking)] : [look(revoking)]
    await Promise.all(looks)
    if (random() < 0.5) await world.prove(stage.process, store).catch(() => undefined)
    if (await isOver(world)) return [...faults, ...(await faultsAfter(stage, version, members))]
  }
  return [...faults, 'it never ended']
}

async function isOver(world: RotationWorld): Promise<boolean> {
  const [last] = await world.journal.history(secretName, 1)
  if (last !== undefined && !hasEnded(last)) return false
  return (await pendingRevocations(world.sql).list()).length === 0
}

async function faultsAfter(
  stage: Stage,
  version: string,
  members: Revoking['members'],
): Promise<readonly string[]> {
  const { world, store, target } = stage
  const faults = [...(await faultsNow(stage))]
  const pointer = await world.journal.pointer(secretName)
  if (pointer?.current === version) faults.push('what is revoked is in force')
  if (target.logIn(members) !== undefined) faults.push('what is revoked is let in')
  const state = await store.read(secretName, version).catch(() => 'disabled')
  if (state !== 'disabled') faults.push('what is revoked can be read')
  const label = await store.currentVersion(secretName)
  if (label !== pointer?.current) faults.push(`${pointer?.current} is in force, the label ${label}`)
  const kept = await store.read(secretName, pointer?.current ?? '')
  const strangers = target.sessions.filter(
    ({ isOpen, user }) => isOpen && user !== (kept['user'] ?? kept['id']),
  )
  if (strangers.length > 0) faults.push(`${strangers.length} sessions of others`)
  const [row] = await world.sql<{ effective: boolean }[]>`
    select effective_at is not null as effective from postern_revocation`
  return row?.effective === true ? faults : [...faults, 'nobody said that it is effective']
}
