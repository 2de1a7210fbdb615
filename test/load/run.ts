import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Asked, classNames, FlagError, type Flags, parseFlags } from './flags.ts'
import { locustSource } from './generate-locust.ts'
import { helpText } from './help.ts'
import { type K6Run, k6Program, unavailableCode } from './k6.ts'
import type { Profile } from './lib/profile.ts'
import { statsJson, writeLocustCsv } from './measure/locust-csv.ts'
import { exactTimes, sortedEntries, totalOf } from './measure/record.ts'
import { exactPercentile } from './measure/response-times.ts'
import { plays, type Shape, shapeOf } from './play.ts'
import { readProfile } from './read-profile.ts'
import { loadCharts, loadLines, loadTables } from './report/load-report.ts'
import { pageHtml } from './report/page.ts'
import { runOnStage, type StageResult } from './run-on-stage.ts'
import {
  type ClientFigures,
  exitCodeOf,
  floorVerdicts,
  type Verdict,
  verdictLines,
} from './verdicts.ts'

/** `test/load/run`: see `help.ts`. */
const usageCode = 2

const say = (line: string) => process.stderr.write(`${line}\n`)
const tell = (line: string) => process.stdout.write(`${line}\n`)

async function main(args: readonly string[]): Promise<number> {
  const profile = readProfile()
  const asked = ask(args, profile)
  if (asked === undefined) return usageCode
  if (asked.kind === 'help') tell(helpText)
  if (asked.kind === 'list') for (const name of classNames(profile)) tell(name)
  return asked.kind === 'run' ? await run(asked.flags, profile) : 0
}

function ask(args: readonly string[], profile: Profile): Asked | undefined {
  try {
    const asked = parseFlags(args, process.env, profile)
    if (asked.kind === 'run') checkLocustfile(asked.flags, profile)
    return asked
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    say(`test/load/run: ${error.message}\nSee test/load/run --help.`)
    return undefined
  }
}

/** Another Locust file is Python, and k6 runs none: a run of something else would be a lie. */
function checkLocustfile({ locustfile }: Flags, profile: Profile): void {
  if (locustfile === undefined) return
  if (!existsSync(locustfile)) throw new FlagError(`-f ${locustfile}: not there`)
  if (readFileSync(locustfile, 'utf8') === locustSource(profile)) return
  throw new FlagError(`-f ${locustfile}: not the one that profile.json makes`)
}

async function run(flags: Flags, profile: Profile): Promise<number> {
  const program = await k6Program()
  if (program === undefined) return unavailableCode
  const shape = shapeOf(flags)
  const player = plays({ program, flags, profile })
  const stage: StageResult | undefined =
    flags.host === undefined ? await runOnStage({ flags, profile, shape, player, say }) : undefined
  const played = stage?.run ?? (await player.play(flags.host ?? '', flags.tokensFile))
  const client = clientFigures(played)
  const verdicts = [
    ...(flags.workload === 'breakpoint' ? [] : floorVerdicts(client, profile.gates)),
    ...(stage?.verdicts(client) ?? []),
  ]
  writeOutputs({ flags, shape, played, verdicts, stage })
  return exitCode(flags, played, verdicts)
}

function clientFigures({ record, count }: K6Run): ClientFigures {
  const total = totalOf(record)
  // A wait for a job is as long as the job.
  const answered = sortedEntries(record).filter(({ name }) => !name.endsWith('?wait'))
  const p99Ms = exactPercentile(exactTimes(answered), 0.99)
  // Those that the workload asks often enough for it to want them answered at all, each by its name.
  const named = answered.filter(({ name }) => count(`http_reqs{name:${name}}`) > 0)
  const [slowest] = named
    .map((entry) => ({ name: entry.name, p99Ms: exactPercentile(exactTimes([entry]), 0.99) }))
    .toSorted((a, b) => b.p99Ms - a.p99Ms)
  return { requests: total.count, failures: total.failures, p99Ms, slowest }
}

type Outcome = {
  readonly flags: Flags
  readonly shape: Shape
  readonly played: K6Run
  readonly verdicts: readonly Verdict[]
  readonly stage: StageResult | undefined
}

function writeOutputs({ flags, shape, played, verdicts, stage }: Outcome): void {
  const exceptions = played.count('task_exceptions')
  const out = flags.isJson ? say : tell
  for (const line of loadLines(played.record)) out(line)
  out('')
  for (const line of stage?.lines ?? []) out(line)
  for (const line of played.crossed) out(`k6: crossed ${line}`)
  const dropped = played.count('dropped_iterations')
  if (dropped > 0) out(`k6: ${dropped} iterations dropped; ${rateHeld(played)} requests/s held`)
  for (const line of verdictLines(verdicts)) out(line)
  if (flags.csv !== undefined) {
    mkdirSync(dirname(flags.csv), { recursive: true })
    writeLocustCsv(flags.csv, { ...played, exceptions }, flags.isFullHistory)
  }
  if (flags.isJson) tell(statsJson(played.record, played.startMs))
  if (flags.html === undefined) return
  const file = htmlName(flags.html, shape)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, pageOf({ flags, shape, played, verdicts, stage }))
  out(`report: ${file}`)
}

function rateHeld({ record, startMs, endMs }: K6Run): string {
  return ((totalOf(record).count * 1_000) / (endMs - startMs)).toFixed(0)
}

function pageOf({ flags, shape, played, verdicts, stage }: Outcome): string {
  return pageHtml({
    title: `Load: ${flags.workload}`,
    summary: stage?.summary ?? `What ${flags.host} answered, as k6 saw it.`,
    facts: {
      began: new Date(played.startMs).toISOString(),
      users: String(shape.users),
      'users a second': String(shape.spawnRate),
      seconds: String(shape.seconds),
      'requests a second': rateHeld(played),
    },
    verdicts,
    charts: loadCharts(played),
    tables: [...(stage?.tables ?? []), ...loadTables(played)],
  })
}

/** As Locust names it. */
function htmlName(name: string, { users, spawnRate, seconds }: Shape): string {
  return name
    .replaceAll('{u}', String(users))
    .replaceAll('{r}', String(spawnRate))
    .replaceAll('{t}', String(seconds))
}

/** k6's code decides, unless Locust's way was asked for; then come the verdicts. */
function exitCode(flags: Flags, played: K6Run, verdicts: readonly Verdict[]): number {
  const failed = totalOf(played.record).failures > 0 || played.count('task_exceptions') > 0
  if (flags.exitCodeOnError !== undefined) return failed ? flags.exitCodeOnError : 0
  return played.code === 0 ? exitCodeOf(verdicts) : played.code
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
