import { PosternError } from '#core/errors.ts'
import { pendingRevocations } from '#core/revocation/pending-revocations.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import type { Revoked } from '#core/revocation/revocation.ts'
import { revokeSecret } from '#core/secret/rotation/revoke-secret.ts'
import { hasEnded } from '#core/secret/rotation/rotation.ts'
import { type RotationRun, runRotation } from '#core/secret/rotation/run-rotation.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
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
  /** Of the version that is revoked; undefined for a login that is not in force. */
  readonly members: SecretMembers | undefined
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
      if (members !== undefined && target.logIn(members) !== undefined)
        faults.push('told to be effective, and let in')
      if (target.thief?.isIn() === true) faults.push('told to be effective, and a thief is in')
      if (random() < 0.2) throw new PosternError('database.unavailable', { reason: 'settling' })
      await pending.settle(revocation.id)
    }
    return survive(() => revokeSecret({ ...run, onEffective }, revocation))
  })
  await Promise.all([...rotating, ...revoking])
}

type Leaked = Pick<Revoked, 'class' | 'value'> & { readonly version: string | undefined }

/** Mostly what is in force; else what is to follow it, or the login that is not in force. */
async function leak({ world, random, store, target }: Stage): Promise<Leaked> {
  const { current = '' } = (await world.journal.pointer(secretName)) ?? {}
  const [last] = await world.journal.history(secretName, 1)
  const dice = random()
  const ofVersion = (version: string) =>
    ({ class: 'secret', value: `${secretName}@${version}`, version }) as const
  if (dice < 0.2 && last?.pending !== undefined && !hasEnded(last)) return ofVersion(last.pending)
  if (dice > 0.8 && target.logins !== undefined) {
    const inForce = target.logins.userOf(await store.read(secretName, current))
    const idle = target.logins.users.find((user) => user !== inForce)
    return { class: 'credential', value: `${secretName}:${idle}`, version: undefined }
  }
  return ofVersion(current)
}

/** A version or a login leaks at any moment of a rotation, while calls die, fail and get lost. */
export async function hostileRevocation(
  world: RotationWorld,
  seed: number,
): Promise<readonly string[]> {
  await world.sql`truncate postern_revocation`
  const stage = await openStage(world, seed, shapes[seed % shapes.length] ?? shapes[0])
  const { random, store, target } = stage
  const faults: string[] = []
  const run = hostile(stage, faults, 0.03)
  if (random() < 0.8) await beginRotation(stage, run)
  const { class: of, value, version } = await leak(stage)
  const members = version === undefined ? undefined : await store.read(secretName, version)
  await postgresRevocations({
    ...{ sql: world.sql, journal: testJournal(), now: () => new Date() },
  }).revoke({ class: of, issuer: '', value, reason: 'leaked', until: undefined, by: 'ann' })
  if (members !== undefined && random() < 0.3) target.thief?.steal(members)
  const revoking = { stage, run, members, faults }
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const looks = random() < 0.3 ? [look(revoking), look(revoking)] : [look(revoking)]
    await Promise.all(looks)
    if (random() < 0.5) await world.prove(stage.process, store).catch(() => undefined)
    if (!(await isOver(world))) continue
    const revoked = await faultsOfRevoked(stage, version, members)
    return [...faults, ...revoked, ...(await faultsAfter(stage))]
  }
  return [...faults, 'it never ended']
}

async function isOver(world: RotationWorld): Promise<boolean> {
  const [last] = await world.journal.history(secretName, 1)
  if (last !== undefined && !hasEnded(last)) return false
  return (await pendingRevocations(world.sql).list()).length === 0
}

async function faultsOfRevoked(
  { world, store, target }: Stage,
  version: string | undefined,
  members: SecretMembers | undefined,
): Promise<readonly string[]> {
  if (version === undefined || members === undefined) return []
  const faults: string[] = []
  const pointer = await world.journal.pointer(secretName)
  if (pointer?.current === version) faults.push('what is revoked is in force')
  if (target.logIn(members) !== undefined) faults.push('what is revoked is let in')
  const state = await store.read(secretName, version).catch(() => 'disabled')
  if (state !== 'disabled') faults.push('what is revoked can be read')
  return faults
}

async function faultsAfter(stage: Stage): Promise<readonly string[]> {
  const { world, store, target } = stage
  const faults = [...(await faultsNow(stage))]
  const pointer = await world.journal.pointer(secretName)
  const label = await store.currentVersion(secretName)
  if (label !== pointer?.current) faults.push(`${pointer?.current} is in force, the label ${label}`)
  const kept = await store.read(secretName, pointer?.current ?? '')
  const strangers = target.sessions.filter(
    ({ isOpen, user }) => isOpen && user !== (kept['user'] ?? kept['id']),
  )
  if (strangers.length > 0) faults.push(`${strangers.length} sessions of others`)
  if (target.thief?.has(kept) === true) faults.push('a thief has what is in force')
  faults.push(...(target.faultsAtEnd?.() ?? []))
  const [row] = await world.sql<{ effective: boolean }[]>`
    select effective_at is not null as effective from postern_revocation`
  return row?.effective === true ? faults : [...faults, 'nobody said that it is effective']
}
