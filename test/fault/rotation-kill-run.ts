import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Rotation } from '#core/secret/rotation/rotation.ts'
import { loginFaults, recordFaults, versionFaults } from './rotation-checks.ts'
import type { RotationCrew } from './rotation-crew.ts'
import { isLogin, type KillPlan, type KillPoint } from './rotation-kill-plan.ts'
import type { RotationStage } from './rotation-stage.ts'
import type { RotationSubject } from './rotation-subjects.ts'

const pollMs = 8
/** Milliseconds for a step that has failed twice, or waits for a process that was killed. */
const stepMsMax = 90_000
const endMsMax = 300_000
/** Milliseconds until a writer that never comes is no longer waited for. */
const writerMsMax = 4_000
const opened = z.object({ id: z.uuid() })

export type KillRun = {
  readonly stage: RotationStage
  readonly gatewayUrl: string
  readonly crew: RotationCrew
  readonly subject: RotationSubject
  readonly plan: KillPlan
  readonly onKill: (point: KillPoint) => void
}

type Row = {
  readonly step: Rotation['step']
  readonly pending: string | null
  readonly isPromoted: boolean
  readonly isDrained: boolean
  readonly error: string | null
}

/** One rotation, killed where the plan says; returns what is wrong with it. */
export async function killRun(run: KillRun): Promise<readonly string[]> {
  const { crew, plan } = run
  crew.follow(plan.isFollowing)
  await crew.ready(plan.rotators)
  const id = await open(run)
  let turn: Turn | undefined
  for (const point of plan.points) {
    await crew.ensure(plan.rotators)
    const step = await strike(run, id, point)
    if (step === undefined) continue
    run.onKill({ ...point, step })
    if (isTurningPoint(plan, point)) turn ??= await takeTurn(run, id, point)
  }
  const faults = [...(await ended(run, id, turn?.fate ?? 'done'))]
  await turn?.answer
  if (faults.length === 0) faults.push(...(await faultsAtEnd(run, id)))
  return faults
}

/** `answer` is whose who asked for it. */
type Turn = { readonly fate: KillPlan['fate']; readonly answer?: Promise<unknown> }

/** Undefined where it has gone on already, by an answer that was on its way. */
async function takeTurn(run: KillRun, id: string, point: KillPoint): Promise<Turn | undefined> {
  const { stage, crew, subject, plan } = run
  await crew.kill('all')
  await gone(stage)
  const row = await look(stage, id)
  if (row.step !== point.step) return undefined
  if (plan.fate !== 'refused') return { fate: plan.fate, ...(await askBack(run, id)) }
  await subject.refuse(row.pending ?? '')
  return { fate: plan.fate }
}

/** Where a plan that does not end in force turns: all rotators are dead, and so the step stands. */
function isTurningPoint({ fate }: KillPlan, { step, isBack }: KillPoint): boolean {
  if (fate === 'refused') return step === 'test'
  return fate === 'rolled back' && step === 'settle' && !isBack
}

async function open(run: KillRun): Promise<string> {
  const answer = await ask(run, 'rotate')
  const text = await answer.text()
  if (!answer.ok) throw new Error(`rotate: ${text}`)
  return opened.parse(JSON.parse(text)).id
}

type Asked = Pick<KillRun, 'stage' | 'gatewayUrl' | 'subject'>

async function ask({ stage, gatewayUrl, subject }: Asked, what: string, body?: object) {
  return await fetch(`${gatewayUrl}/internal/secrets/${subject.name}/${what}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
}

/** Resolves when it is asked; what it resolves with, when whoever asked has its answer. */
async function askBack(run: KillRun, id: string): Promise<{ readonly answer: Promise<unknown> }> {
  const { stage, subject, plan } = run
  if (plan.isAskedOverHttp) {
    const asked = await ask(run, 'rollback', { reason: 'seed' })
    if (!asked.ok) throw new Error(`rollback: ${await asked.text()}`)
    return { answer: Promise.resolve() }
  }
  let isOver = false
  const answer = stage
    .tryPostern(['secrets', 'rollback', subject.name, '--reason', 'seed'])
    .finally(() => {
      isOver = true
    })
  // It takes the rotation to its end itself; a rotator that begins before it has asked goes on.
  while (!isOver && !(await isAskedBack(stage, id))) await Bun.sleep(pollMs)
  return { answer }
}

async function isAskedBack({ sql }: RotationStage, id: string): Promise<boolean> {
  const rows = await sql`
    select from postern_secret_rotation
    where id = ${id} and (roll_back_reason is not null or promoted_at is null)`
  return rows.length > 0
}

async function look({ sql }: Pick<RotationStage, 'sql'>, id: string): Promise<Row> {
  const [row] = await sql<Row[]>`
    select step, pending_version as pending, promoted_at is not null as "isPromoted",
      coalesce(retire_after <= now(), true) as "isDrained", error
    from postern_secret_rotation where id = ${id}`
  if (row === undefined) throw new Error(`no rotation ${id}`)
  return row
}

/** Until nothing that a killed rotator has sent is still being done. */
async function gone({ sql }: RotationStage): Promise<void> {
  for (;;) {
    const rows = await sql`
      select from pg_stat_activity where application_name in ('postern rotator', 'postern rotation')`
    if (rows.length === 0) return
    await Bun.sleep(pollMs)
  }
}

const order = [
  'stage',
  'set',
  'test',
  'promote',
  'settle',
  'back',
  'retire',
  'undo',
  'done',
  'undone',
]

const rankOf = (step: string, isBack: boolean) => order.indexOf(isBack ? 'back' : step)

/** Kills at that moment and returns the step then; undefined if the rotation was past it. */
async function strike(run: KillRun, id: string, point: KillPoint) {
  const { crew, stage, plan } = run
  const from = await look(stage, id)
  const isThere = at(from, point)
  if (!(await reached(run, id, point))) return undefined
  // The one that was started last has to be at it first.
  if (isThere && point.step !== 'stage') {
    await Promise.race([crew.ready(plan.rotators), moved(run, id)])
  }
  if (point.when === 'writing') {
    if (!(await writing(run))) return undefined
    await crew.kill('all')
    return point.step
  }
  if (point.when === 'within') await Bun.sleep(point.delayMs)
  const { step } = await look(stage, id)
  if (step === 'done' || step === 'undone') return undefined
  await crew.kill('one')
  return step
}

function at(row: Row, { step, isBack }: KillPoint): boolean {
  if (row.step !== step) return false
  if (step === 'settle') return row.isPromoted !== isBack
  return step !== 'retire' || row.isDrained
}

async function reached({ stage, crew, plan }: KillRun, id: string, point: KillPoint) {
  const giveUpAt = performance.now() + stepMsMax
  for (;;) {
    const row = await look(stage, id)
    if (at(row, point)) return true
    const isBack = row.step === 'settle' && !row.isPromoted
    if (rankOf(row.step, isBack) > rankOf(point.step, point.isBack)) return false
    if (performance.now() > giveUpAt) return false
    await crew.ensure(plan.rotators)
    await Bun.sleep(pollMs)
  }
}

async function moved({ stage }: KillRun, id: string): Promise<void> {
  const first = await look(stage, id)
  const giveUpAt = performance.now() + stepMsMax
  while ((await look(stage, id)).step === first.step && performance.now() < giveUpAt) {
    await Bun.sleep(pollMs)
  }
}

/** True once the next version of the store's file is begun. */
async function writing({ stage }: KillRun): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const folder = dirname(stage.files.secretFile)
  const watcher = watch(folder, (_, file) => {
    if (file === 'secrets.new') resolve(true)
  })
  const late = Bun.sleep(writerMsMax).then(() => false)
  const isSeen = await Promise.race([promise, late])
  watcher.close()
  return isSeen
}

async function ended(run: KillRun, id: string, fate: KillPlan['fate']): Promise<readonly string[]> {
  const { stage, crew, plan } = run
  const expected = fate === 'done' ? 'done' : 'undone'
  const giveUpAt = performance.now() + endMsMax
  for (;;) {
    const { step, error } = await look(stage, id)
    if (step === expected) return []
    if (step === 'done' || step === 'undone') return [`ended as ${step}, not ${expected}: ${error}`]
    if (performance.now() > giveUpAt) return [`it never ended: ${step}, ${error}`]
    await crew.ensure(plan.rotators)
    await Bun.sleep(pollMs * 5)
  }
}

async function faultsAtEnd({ stage, subject, plan }: KillRun, id: string) {
  const { name } = subject
  const [pointer] = await stage.sql<{ current: string }[]>`
    select current_version as current from postern_secret where name = ${name}`
  return [
    ...(await versionFaults(stage, name)),
    ...(await recordFaults(stage.sql, id)),
    ...(isLogin(plan.kind) ? await loginFaults(stage, name) : []),
    ...((await subject.faultsAtEnd?.(pointer?.current ?? '')) ?? []),
  ]
}
