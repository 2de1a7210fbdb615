import { PosternError } from '../../errors.ts'
import type { PendingRevocation } from '../../revocation/pending-revocations.ts'
import { secretOf } from '../../revocation/revocation.ts'
import { nextAct } from './next-act.ts'
import { startProber } from './prober.ts'
import { hasEnded, type Rotation } from './rotation.ts'
import { namesOf, type SecretPointer } from './rotation-journal.ts'
import type { LoginRules } from './rotation-target.ts'
import { type RotationRun, runRotation } from './run-rotation.ts'

/** Acts until a revocation is left for its next turn: undo, plan and run, each twice. */
const actsMax = 8

export type RevocationRun = RotationRun & {
  /** Refused everywhere, open sessions included: called once, at the moment it was seen. */
  readonly onEffective: () => Promise<void>
}

/**
 * Takes one version of a secret, or one login, out of use: a version in force is rotated away from
 * first. A login is tried with all the while, over a new connection and over one that was open
 * before. Throws what has to be tried again; can be repeated after a crash at any point.
 */
export async function revokeSecret(
  run: RevocationRun,
  revocation: PendingRevocation,
): Promise<void> {
  const named = secretOf(revocation)
  const pointer = named && (await run.journal.pointer(named.name))
  if (named === undefined || pointer === undefined) {
    const reason = `${revocation.value} names no secret that a process uses`
    throw new PosternError('secret.not_found', { reason })
  }
  const { logins } = run.target
  if (named.user === undefined) {
    await revokeVersion(run, revocation, { pointer, version: named.version })
    return
  }
  if (logins?.users.includes(named.user) !== true) {
    throw new PosternError('secret.not_found', {
      reason: `${pointer.name} has no login ${named.user}`,
    })
  }
  const current = await run.store.read(pointer.name, pointer.current)
  if (logins.userOf(current) === named.user) {
    await revokeVersion(run, revocation, { pointer, version: pointer.current })
    return
  }
  await revokeIdleUser(run, revocation, { pointer, user: named.user, logins })
}

type Idle = {
  readonly pointer: SecretPointer
  readonly user: string
  readonly logins: LoginRules
}

/** The one of the pair that is not in force: a rotation under way may be about to retire it. */
async function revokeIdleUser(
  run: RevocationRun,
  revocation: PendingRevocation,
  { pointer, user, logins }: Idle,
): Promise<void> {
  const [last] = await run.journal.history(pointer.name, 1)
  const open = last === undefined || hasEnded(last) ? undefined : last
  if (open !== undefined && open.pending === undefined) {
    // It may be about to let this user in, and to put it in force while it is ended here.
    if (open.step === 'stage') await run.journal.undo(open, reasonOf(revocation.id))
    await runRotation(run, open.id)
  }
  for (const version of [open?.base, open?.pending]) {
    if (version === undefined) continue
    const members = await readIfThere(run, pointer.name, version)
    if (members === undefined || logins.userOf(members) !== user) continue
    await revokeVersion(run, revocation, { pointer, version })
    return
  }
  await logins.endUser(user)
  await run.onEffective()
}

type Revoking = { readonly pointer: SecretPointer; readonly version: string }

async function revokeVersion(
  run: RevocationRun,
  revocation: PendingRevocation,
  { pointer, version }: Revoking,
): Promise<void> {
  const { name } = pointer
  const first = await readState(run, revocation, { name, version })
  // What was never let in is refused before it is undone, and could be let in until then.
  const isLetIn = nextAct(first) !== 'undo'
  const members = isLetIn ? await readIfThere(run, name, version) : undefined
  await using prober = await startProber(run.target, { members, onEffective: run.onEffective })
  for (let act = 0; act < actsMax && !run.signal.aborted; act += 1) {
    const state = await readState(run, revocation, { name, version })
    const next = nextAct(state)
    if (next === 'end') {
      await endVersion(run, { name, version, current: state.current })
      await refuseUnproved(run, name)
      await prober.settle()
      return
    }
    await take(run, revocation, { next, name, open: state.open })
    const [after] = await run.journal.history(name, 1)
    if (after?.error !== undefined && !hasEnded(after)) throw stuck(after)
  }
}

const reasonOf = (id: string) => `revocation ${id}`

function stuck({ name, step, error }: Rotation): PosternError {
  const reason = `the rotation of ${name} is held up at ${step}: ${error}`
  return new PosternError('secret.target_unavailable', { reason })
}

async function readState(
  { journal, target }: RevocationRun,
  { id, inForceAt }: PendingRevocation,
  { name, version }: { readonly name: string; readonly version: string },
) {
  const pointer = await journal.pointer(name)
  const [last] = await journal.history(name, 1)
  const isEnded = last !== undefined && hasEnded(last)
  return {
    version,
    current: pointer?.current ?? '',
    open: isEnded ? undefined : last,
    isLogin: target.logins !== undefined,
    isReplaced:
      last?.step === 'done' &&
      last.isUrgent &&
      // Opened for it, it came after it, also where the clock was set back between.
      (last.openedAt.getTime() >= inForceAt.getTime() || last.openedBy.endsWith(reasonOf(id))),
  }
}

type Taking = {
  readonly next: ReturnType<typeof nextAct>
  readonly name: string
  readonly open: Rotation | undefined
}

async function take(
  run: RevocationRun,
  { id, by }: PendingRevocation,
  { next, name, open }: Taking,
): Promise<void> {
  const { journal } = run
  const reason = reasonOf(id)
  if (next === 'plan' || open === undefined) {
    const planned = await journal.plan(name, `${by}, ${reason}`, 'urgent')
    await runRotation(run, planned.id)
    return
  }
  if (next === 'undo') await journal.undo(open, reason)
  if (next === 'roll_back') await journal.hurry(await journal.rollBack(open, reason))
  if (next === 'hurry') await journal.hurry(open)
  await runRotation(run, open.id)
}

/** No rotation has anything to do with it any more; whoever still lets it in must not. */
async function endVersion(
  run: RevocationRun,
  {
    name,
    version,
    current,
  }: { readonly name: string; readonly version: string; readonly current: string },
): Promise<void> {
  const { store, target } = run
  const members = await readIfThere(run, name, version)
  if (members === undefined) return
  const kept = await store.read(name, current)
  const isSameUser = target.logins?.userOf(kept) === target.logins?.userOf(members)
  // The user in force is not ended for an old password of its; that is refused already.
  if (target.logins === undefined || !isSameUser) await target.retire({ kept, retired: members })
  if (!(await target.isRefused(members))) {
    const reason = `version ${version} of ${name} is revoked and still let in`
    throw new PosternError('secret.target_unavailable', { reason })
  }
  await store.promote(name, { version: current, previous: version })
  await store.disable(name, version)
}

/**
 * Nobody refuses an old key for us: whoever has not taken the next version over still takes it. One
 * that is silent has not heard of revocations either, and admits nobody.
 */
async function refuseUnproved({ journal, target }: RevocationRun, name: string): Promise<void> {
  if (target.logins !== undefined) return
  const missing = (await journal.unproved(name)).filter(({ isSilent }) => !isSilent)
  if (missing.length === 0) return
  const reason = `${name} is rotated, and its old version still in use by ${namesOf(missing)}`
  throw new PosternError('secret.unproved', { reason })
}

async function readIfThere({ store }: RotationRun, name: string, version: string) {
  return await store.read(name, version).catch((error: unknown) => {
    const isGone =
      error instanceof PosternError &&
      (error.code === 'secret.disabled' || error.code === 'secret.not_found')
    if (isGone) return undefined
    throw error
  })
}
