// One fault a run, from a seed, against `postern run` under load: what was accepted ends once, what was
// acknowledged is in the log, what was revoked is dead. Prints how long each class was away.
//
//   bun test/fault/seeded/run.ts [--from 1] [--count 200] [--out runs.ndjson] [--only NAME]
//
// A file that is there already is gone on with: seeds that stand in it are not run again.
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { removeAtExit, runCommand } from '#test/support/server-process.ts'
import { say } from '../stage.ts'
import { type Fault, faults } from './faults.ts'
import { emptyHistory, nowMs, recoveryOf } from './history.ts'
import { incidentsOf, judge } from './judge.ts'
import { startLoad } from './load.ts'
import { NotHere, openStage } from './stage.ts'
import { type Run, runSchema, slowClasses, table } from './table.ts'

const root = join(import.meta.dir, '../../..')
/** Of load before the fault, and at most, and after it at least. */
const before = { fromMs: 1_500, toMs: 3_000 }
const afterMs = 2_000
/** Seconds: the mean of a class, and the worst of all. */
const bounds = { mttr: 60, worst: 300 }
/** Until a job comes through again: longer breaks the promise whatever the mean is. */
const backMsMax = 60_000

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    out: { type: 'string' },
    only: { type: 'string' },
  },
})

// What a run has started ends with the process, but not with one that a signal kills.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const known = await readRuns(values.out)
const chosen = faults.filter(({ name }) => values.only === undefined || name === values.only)
if (chosen.length === 0)
  throw new Error(`--only is one of: ${faults.map(({ name }) => name).join('; ')}`)
const binary = await build()
const runs = [...known.values()]
const [from, count] = [Number(values.from), Number(values.count)]
for (let seed = from; seed < from + count; seed += 1) {
  const fault = chosen[(seed - 1) % chosen.length]
  // `--only` gives a seed another meaning.
  if (fault === undefined || known.get(seed)?.fault === fault.name) continue
  const run = await strike(seed, fault)
  runs.push(run)
  // What could not be run here may be run elsewhere.
  if (values.out !== undefined && run.skipped === undefined)
    await appendFile(values.out, `${JSON.stringify(run)}\n`)
  say(lineOf(run))
}
for (const line of table(runs)) say(line)
const violated = runs.filter(({ violations }) => violations.length > 0)
const skipped = runs.filter((run) => run.skipped !== undefined)
const slow = slowClasses(runs, bounds)
if (violated.length > 0) say(`${violated.length} runs broke a promise.`)
for (const line of slow) say(`TOO SLOW: ${line}`)
if (skipped.length > 0) say(`${skipped.length} NOT RUN.`)
const isKept = violated.length + slow.length + skipped.length === 0
if (isKept) say('Every promise held.')
process.exit(isKept ? 0 : 1)

async function strike(seed: number, fault: Fault): Promise<Run> {
  const random = seededRandom(seed)
  const startedMs = nowMs()
  const of = { seed, fault: fault.name }
  const nothing = { awayMs: 0, recoveryMs: 0, jobs: 0, incidents: [], violations: [] }
  let stage: Awaited<ReturnType<typeof openStage>>
  try {
    stage = await openStage(binary, fault.flavour)
  } catch (error) {
    if (error instanceof NotHere) return { ...of, ...nothing, seconds: 0, skipped: error.message }
    throw error
  }
  try {
    const history = emptyHistory()
    const load = startLoad(stage, history, random)
    await Bun.sleep(before.fromMs + random() * (before.toMs - before.fromMs))
    const beganMs = nowMs()
    await fault.strike(stage, { random, load })
    const endedMs = nowMs()
    const isBack = await comesBack(history.probes)
    await Bun.sleep(afterMs)
    await load.stop()
    const { awayMs, recoveryMs } = recoveryOf(history.probes, { beganMs, endedMs })
    const noticed = fault.isSeamless === true ? history.outages.length : 0
    const violations = [
      ...(await judge(stage, history)),
      ...(isBack ? [] : [`not back within ${backMsMax / 1_000} s`]),
      ...(noticed > 0 ? [`${noticed} requests noticed`] : []),
    ]
    const incidents = [...(await incidentsOf(stage.sql))]
    const seconds = (nowMs() - startedMs) / 1_000
    return { ...of, awayMs, recoveryMs, jobs: history.jobs.size, incidents, violations, seconds }
  } finally {
    await stage.close()
  }
}

/** Three in a row. */
async function comesBack(
  probes: readonly { readonly status: number | undefined }[],
): Promise<boolean> {
  const giveUpAt = performance.now() + backMsMax
  const seen = probes.length
  for (;;) {
    const last = probes.slice(Math.max(seen, probes.length - 3))
    if (last.length === 3 && last.every(({ status }) => status === 200)) return true
    if (performance.now() > giveUpAt) return false
    await Bun.sleep(50)
  }
}

function lineOf(run: Run): string {
  const { seed, fault, awayMs, recoveryMs, jobs, incidents, violations, seconds, skipped } = run
  if (skipped !== undefined) return `${seed} ${fault}: NOT RUN, ${skipped}`
  const told = violations.map((violation) => `\n  VIOLATED: ${violation}`).join('')
  const times = `away ${(awayMs / 1_000).toFixed(1)} s, back ${(recoveryMs / 1_000).toFixed(1)} s`
  const noticed = incidents.length === 0 ? '' : `, noticed as ${incidents.join(', ')}`
  return `${seed} ${fault}: ${times}${noticed}, ${jobs} jobs, ${seconds.toFixed(0)} s${told}`
}

async function readRuns(path: string | undefined): Promise<ReadonlyMap<number, Run>> {
  if (path === undefined || !existsSync(path)) return new Map()
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean)
  const read = lines.map((line) => runSchema.parse(JSON.parse(line)))
  return new Map(read.map((run) => [run.seed, run]))
}

async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-built-'))
  removeAtExit(folder)
  const outfile = join(folder, 'postern')
  await runCommand([process.execPath, join(root, 'ci/build.ts'), '--outfile', outfile])
  return outfile
}
