/**
 * Changes made by hand at the cloud's API, each found by the job as what it is, and reported
 * resolved when it is taken back: a real Terraform with the real provider against moto. Needs
 * terraform, python3 with venv and, offline, a mirror of the provider (`ci/terraform --help`).
 * `--only <case>` for one; `--record` writes the plans into policy/fixtures/drift. Exits 1 when
 * something was found otherwise, 69 where it cannot be told.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { recordedTransaction } from '#core/audit/journal-rows.ts'
import { judgeSource } from '#core/drift/judge-source.ts'
import { driftReads } from '#core/drift/postgres-drift.ts'
import { terraformPlan } from '#core/drift/terraform-runner.ts'
import type { Effect } from '#core/postgres/effect.ts'
import { type DriftWorld, openDriftWorld } from '#test/drift/drift-world.ts'
import type { Expected } from '#test/drift/plan-fixtures.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { checkDrift } from '#workers/check-drift.ts'
import { type DriftCase, driftCases } from './drift-cases.ts'
import { type DriftStage, fixtures, openDriftStage } from './drift-stage.ts'

const unavailable = 69

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, record: { type: 'boolean' } },
})

type Check = { readonly verdict: string; readonly open: readonly string[] }

/** The job as a worker runs it, with a Terraform that makes the plan here. */
function checker(stage: DriftStage, world: DriftWorld) {
  const journal = testJournal()
  let last: Uint8Array = new Uint8Array()
  const look = (_about: unknown, signal: AbortSignal) =>
    judgeSource('terraform', async () => {
      const { workspace, environment } = stage
      const mode = 'development' as const
      last = await terraformPlan({ workspace, environment, mode, scratch: '/dev/shm', signal })
      return { plan: last }
    })
  const { process: run } = checkDrift({
    ...{ sql: world.worker, now: () => new Date(), callbackUrl: undefined },
    looks: { plan: undefined, terraform: look, runtime: undefined },
  })

  async function check(): Promise<Check> {
    const payload = { sources: ['terraform' as const] }
    const attempt = { jobId: Bun.randomUUIDv7(), payload, attempt: 1, attemptsMax: 1 }
    const context = { requestId: 'fault', traceparent: undefined }
    const work = await run({ ...attempt, ...context }, new AbortController().signal)
    const effect: Effect = work.effect ?? (async () => undefined)
    await recordedTransaction(world.worker, journal, async (transaction, record) => {
      await effect(transaction)
      await record(work.records ?? [])
    })
    const open = await driftReads(world.worker).list({ state: 'open', limit: 100 })
    return {
      verdict: work.result.sources[0]?.verdict ?? '',
      open: open.map(({ address, attribute, kind }) => `${address} ${attribute} ${kind}`).sort(),
    }
  }

  /** The plan of the last check, without what is different each time, and what it must come to. */
  async function keep(name: string, expected: Expected): Promise<void> {
    if (values.record !== true) return
    const { timestamp: _timestamp, ...plan } = JSON.parse(Buffer.from(last).toString())
    const folder = join(fixtures, name)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'plan.json'), `${JSON.stringify(plan)}\n`)
    await writeFile(join(folder, 'expect.json'), `${JSON.stringify(expected, undefined, 2)}\n`)
  }

  return { check, keep }
}

function row(name: string, found: string, isRight: boolean): boolean {
  process.stdout.write(`${isRight ? 'ok  ' : 'FAIL'}  ${name.padEnd(24)}  ${found}\n`)
  return isRight
}

async function prove(stage: DriftStage, world: DriftWorld): Promise<boolean> {
  const checks = checker(stage, world)
  const { check, keep } = checks
  await stage.apply()
  const fresh = await check()
  await keep('after-apply', { verdict: 'noise', findings: [] })
  let isRight = row('straight after an apply', fresh.verdict, fresh.verdict === 'noise')
  await stage.settle()
  const settled = await check()
  await keep('settled', { verdict: 'clean', findings: [] })
  isRight = row('after a settle', settled.verdict, settled.verdict === 'clean') && isRight
  const { only } = values
  for (const one of driftCases.filter(({ name }) => only === undefined || only.includes(name))) {
    isRight = (await proveCase(stage, checks, one)) && isRight
  }
  return isRight
}

async function proveCase(
  stage: DriftStage,
  { check, keep }: ReturnType<typeof checker>,
  { name, findings, back, settles }: DriftCase,
): Promise<boolean> {
  await stage.byHand('do', name)
  const found = await check()
  const verdict = findings.length === 0 ? 'clean' : 'drift'
  await keep(name, { verdict, findings: [...findings] })
  if (back === 'hand') await stage.byHand('undo', name)
  else await stage.apply()
  if (settles === true) await stage.settle()
  const after = await check()
  const expected = findings.map((finding) => finding.join(' ')).sort()
  const isFound = Bun.deepEquals(found.open, expected)
  const isOver = after.open.length === 0 && after.verdict !== 'error'
  const end = isOver ? 'resolved' : `still ${after.open.join(', ')}`
  return row(name, `${found.open.join(', ') || 'nothing'}; then ${end}`, isFound && isOver)
}

if (Bun.which('terraform') === null) {
  process.stdout.write('SKIPPED: there is no terraform on PATH; nothing was proved\n')
  process.exit(unavailable)
}
try {
  await using stack = new AsyncDisposableStack()
  const world = stack.adopt(await openDriftWorld(), (open) => open.close())
  const stage = stack.adopt(await openDriftStage(), (open) => open.close())
  process.exitCode = (await prove(stage, world)) ? 0 : 1
} catch (error) {
  process.stdout.write(`cannot tell: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = unavailable
}
// Servers that a failing start has left are ended with the process.
process.exit()
