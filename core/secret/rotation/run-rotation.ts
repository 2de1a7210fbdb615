import { PosternError } from '../../errors.ts'
import { invariant } from '../../invariant.ts'
import type { SecretMembers, SecretStore } from '../secret-store.ts'
import { type FingerprintKey, fingerprintOf } from './fingerprint.ts'
import { hasEnded, type Rotation, rotationRetryMs } from './rotation.ts'
import { namesOf, type RotationJournal } from './rotation-journal.ts'
import type { RotationTarget, Succession } from './rotation-target.ts'

/**
 * Milliseconds that one attempt gives processes to prove a version, or a store to show one: twice
 * what a blocking read of Redis keeps them waiting.
 */
const patienceMs = 20_000
/** Milliseconds that processes have to change over from what is revoked, before it is taken away. */
const urgentPatienceMs = 2_000
const pollMs = 100
/**
 * Of the patience of an attempt, for a silent process to be heard again before it is given up: three
 * heartbeats of the usual 20 s.
 */
const silenceShare = 0.75

export type RotationRun = {
  readonly journal: RotationJournal
  readonly store: Pick<SecretStore, 'read' | 'stage' | 'promote' | 'disable'>
  readonly target: RotationTarget
  readonly fingerprintKey: FingerprintKey
  readonly random: () => number
  /** Ends a wait early, never a step. */
  readonly signal: AbortSignal
  readonly patienceMs?: number
  /** Told of each step before it is taken. */
  readonly onStep?: (rotation: Rotation) => void
}

/**
 * Takes a rotation from step to step until it has ended or a step fails, which is then noted with
 * the time of its next attempt. Safe to be run again after a crash at any point, and by two at once:
 * each step is found done or done once more, and only one of two moves the journal.
 */
export async function runRotation(run: RotationRun, id: string): Promise<Rotation> {
  let rotation = await run.journal.read(id)
  while (!hasEnded(rotation) && !isDraining(rotation) && !run.signal.aborted) {
    const before = rotation
    run.onStep?.(before)
    try {
      rotation = await takeStep(run, rotation)
    } catch (error) {
      const fate = await judge(run, before, error)
      if (fate.isLeft) return fate.rotation
      rotation = fate.rotation
    }
  }
  return rotation
}

const isDraining = ({ step, isDrained }: Rotation) => step === 'retire' && !isDrained

type Fate = { readonly rotation: Rotation; readonly isLeft: boolean }

const beforePromotion: ReadonlySet<Rotation['step']> = new Set(['stage', 'set', 'test', 'promote'])

/** A bug is none of a rotation's business. */
async function judge(run: RotationRun, rotation: Rotation, error: unknown): Promise<Fate> {
  if (!(error instanceof PosternError)) throw error
  const { journal, random } = run
  if (error.code === 'secret.rotation_overtaken') {
    return { rotation: await journal.read(rotation.id), isLeft: true }
  }
  if (error.code === 'secret.target_refused' && beforePromotion.has(rotation.step)) {
    return { rotation: await journal.undo(rotation, saying(error)), isLeft: false }
  }
  const retryMs = rotationRetryMs(rotation.attempts + 1, random)
  const noted = await journal.failed(rotation, { error: saying(error), retryMs })
  return { rotation: noted, isLeft: true }
}

const saying = ({ code, message }: PosternError) => `${code}: ${message}`

async function takeStep(run: RotationRun, rotation: Rotation): Promise<Rotation> {
  const { journal, target } = run
  switch (rotation.step) {
    case 'stage':
      return await stage(run, rotation)
    case 'set':
      await target.set(await successionOf(run, rotation))
      return await journal.move(rotation, 'test')
    case 'test':
      await target.test(await successionOf(run, rotation))
      return await journal.move(rotation, 'promote')
    case 'promote':
      return await journal.promote(rotation)
    case 'settle':
      return rotation.rollBackReason === undefined || rotation.isUrgent
        ? await settle(run, rotation)
        : await journal.rollBack(rotation, rotation.rollBackReason)
    case 'retire':
    case 'undo':
      return await retire(run, rotation)
    default:
      return rotation
  }
}

/** What is journalled is what the store gives back: an orphan of an earlier attempt is adopted. */
async function stage(run: RotationRun, rotation: Rotation): Promise<Rotation> {
  const { journal, store, target, fingerprintKey } = run
  const { id, name, base, isUrgent } = rotation
  const current = await store.read(name, base)
  if (!(await isInForceHere(run, name, current))) {
    const reason = `version ${base} of ${name} in this store is not the one that is in force here`
    throw new PosternError('secret.target_refused', { reason })
  }
  const generated = await target.generate(current, { rotation: id, isUrgent })
  const pending = await store.stage(name, { members: generated, rotation: id })
  const members = await readShown(run, name, pending)
  const fingerprint = fingerprintOf(fingerprintKey, name, members)
  return await journal.staged(rotation, { pending, fingerprint })
}

async function isInForceHere(
  { journal, fingerprintKey }: RotationRun,
  name: string,
  current: SecretMembers,
): Promise<boolean> {
  const pointer = await journal.pointer(name)
  return pointer?.fingerprint === fingerprintOf(fingerprintKey, name, current)
}

/** A store may show a version a while after it has taken it. */
async function readShown(run: RotationRun, name: string, version: string) {
  const read = () =>
    run.store.read(name, version).catch((error: unknown) => {
      if (error instanceof PosternError && error.code === 'secret.not_found') return undefined
      throw error
    })
  const members = await within(run, read)
  if (members !== undefined) return members
  const reason = `the store does not show version ${version} of ${name}, which it has just taken`
  throw new PosternError('secret.unavailable', { reason })
}

async function successionOf(run: RotationRun, rotation: Rotation): Promise<Succession> {
  const { store, fingerprintKey } = run
  const { name, base, pending, fingerprint, isUrgent } = rotation
  invariant(pending !== undefined, 'what was staged has a version')
  const [current, next] = await Promise.all([store.read(name, base), store.read(name, pending)])
  if (fingerprintOf(fingerprintKey, name, next) !== fingerprint) {
    const reason = `version ${pending} of ${name} in this store is not the one that was staged`
    throw new PosternError('secret.target_refused', { reason })
  }
  return { current, pending: next, isUrgent }
}

/** Until everyone who uses the secret has logged in with what the pointer says. */
async function settle(run: RotationRun, rotation: Rotation): Promise<Rotation> {
  const { journal, store, target } = run
  const { name, base, pending = base, promotedAt, isUrgent } = rotation
  const isPromoted = promotedAt !== undefined
  const graceSeconds = isUrgent ? 0 : (target.graceSeconds ?? 0)
  await store.promote(name, versionsOf(rotation)).catch((error: unknown) => {
    // Labels are for others: that they lag behind harms nobody, and the end tries them again. But
    // whoever has a time of grace sees nothing else: it begins once they are moved.
    if (graceSeconds > 0) throw error
  })
  const patient = isUrgent ? hurried(run) : run
  const silentUntil = performance.now() + silenceShare * (patient.patienceMs ?? patienceMs)
  const proof = await within(patient, async () => {
    const missing = await journal.unproved(name)
    // After an outage of the database, or a jump of its clock, all are silent, and most are alive.
    const isOver = performance.now() >= silentUntil
    if (missing.every(({ isSilent }) => isSilent && isOver)) return 'proved'
    // Rolled back or hurried meanwhile, it waits for something else.
    return isSame(await journal.read(rotation.id), rotation) ? undefined : 'changed'
  })
  if (proof === 'changed') return await journal.read(rotation.id)
  if (proof === 'proved' || isUrgent) {
    if (!isPromoted) return await journal.move(rotation, 'undo')
    return await journal.settled(rotation, graceSeconds)
  }
  const missing = await journal.unproved(name)
  const version = isPromoted ? pending : base
  const reason = `version ${version} of ${name} is not proved by ${namesOf(missing)}`
  throw new PosternError('secret.unproved', { reason })
}

function hurried(run: RotationRun): RotationRun {
  return { ...run, patienceMs: Math.min(urgentPatienceMs, run.patienceMs ?? patienceMs) }
}

function isSame(a: Rotation, b: Rotation): boolean {
  if (a.step !== b.step || a.isUrgent !== b.isUrgent) return false
  return (
    a.rollBackReason === b.rollBackReason &&
    (a.promotedAt === undefined) === (b.promotedAt === undefined)
  )
}

function versionsOf({ base, pending = base, promotedAt }: Rotation) {
  return promotedAt === undefined
    ? { version: base, previous: pending }
    : { version: pending, previous: base }
}

/** The credential first, everywhere, then the version: while one can be used, it can be read. */
async function retire(run: RotationRun, rotation: Rotation): Promise<Rotation> {
  const { journal, store, target } = run
  const { name, base, pending, step } = rotation
  if (pending === undefined) return await forsake(run, rotation)
  const [kept, retired] = step === 'retire' ? [pending, base] : [base, pending]
  const members = await readUnlessDisabled(run, name, retired)
  if (members !== undefined) {
    await target.retire({ kept: await store.read(name, kept), retired: members })
    const isRefused = await within(run, async () =>
      (await target.isRefused(members)) ? true : undefined,
    )
    if (!isRefused) {
      const reason = `version ${retired} of ${name} was retired and is still let in`
      throw new PosternError('secret.target_unavailable', { reason })
    }
    // A store may refuse to disable what it still calls current.
    await store.promote(name, { version: kept, previous: retired })
    await store.disable(name, retired)
  }
  return await journal.end(rotation)
}

/** Undone while it was staged: what was made for it then nobody has written down. */
async function forsake(run: RotationRun, rotation: Rotation): Promise<Rotation> {
  const { journal, target } = run
  const { id, name, base, isUrgent } = rotation
  const current = target.discard && (await readUnlessDisabled(run, name, base))
  // In a store of another environment nothing was made.
  if (current !== undefined && (await isInForceHere(run, name, current))) {
    await target.discard?.({ rotation: id, isUrgent })
  }
  return await journal.end(rotation)
}

/** It is disabled after everything else was done with it. */
async function readUnlessDisabled({ store }: RotationRun, name: string, version: string) {
  return await store.read(name, version).catch((error: unknown) => {
    if (error instanceof PosternError && error.code === 'secret.disabled') return undefined
    throw error
  })
}

/** Asks until there is an answer, the patience of one attempt is over or the signal comes. */
async function within<Answer>(
  { signal, patienceMs: ms = patienceMs }: RotationRun,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const endsAt = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined || performance.now() >= endsAt || signal.aborted) return answer
    await Bun.sleep(pollMs)
  }
}
