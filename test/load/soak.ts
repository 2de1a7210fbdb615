import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type StageWay, stageWays } from './flags.ts'
import { type K6Run, k6Program, runK6, unavailableCode } from './k6.ts'
import { readProfile } from './read-profile.ts'
import { bookLines, bookTables } from './report/book-report.ts'
import type { Chart, Line } from './report/chart.ts'
import { loadCharts, loadLines, loadTables } from './report/load-report.ts'
import { pageHtml } from './report/page.ts'
import { hearSignals } from './signals.ts'
import { type Sampled, type Soaked, soakVerdicts } from './soak-verdicts.ts'
import { closeBooks } from './stage/books.ts'
import { startSampler } from './stage/sample-processes.ts'
import { openLoadStage } from './stage/stage.ts'
import { exitCodeOf, type Verdict, verdictLines } from './verdicts.ts'

const help = `usage: test/load/soak [--minutes 60] [--users 300] [--stage ${stageWays.join('|')}] [--html FILE]

Plays the profile for an hour on a stage of its own and looks each second at the memory and the
descriptors of each process, and at the connections to Postgres and Redis. Judged are the last two
thirds: memory may grow by 1 MiB in ten minutes, descriptors and connections may lie 2 apart but for one
sample in a hundred, and without samples the run is void. The p99 of the last sixth may be 20 % above
that of the first. A market that denied most or filled little makes the run void, and what was
answered has to be in the books.

Exit: 0 all met · 1 a verdict is missed · 2 wrong use · 3 void · 69 no k6. The report: dist/load/soak.html.`

const say = (line: string) => process.stderr.write(`${line}\n`)
const tell = (line: string) => process.stdout.write(`${line}\n`)

type Soak = {
  readonly seconds: number
  readonly users: number
  readonly way: StageWay
  readonly html: string
}

function asked(args: readonly string[]): Soak | 'help' {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ minutes: text, users: text, stage: text, html: text },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return 'help'
  const [minutes, users] = [Number(values.minutes ?? 60), Number(values.users ?? 300)]
  const way = stageWays.find((one) => one === (values.stage ?? 'best'))
  if (!(minutes >= 1 && minutes <= 360)) throw new Error('--minutes: from 1 to 360')
  if (!(Number.isInteger(users) && users >= 1)) throw new Error('--users: a whole number above 0')
  if (way === undefined) throw new Error(`--stage: one of ${stageWays.join(', ')}`)
  const html = values.html ?? join(import.meta.dir, '../../dist/load/soak.html')
  return { seconds: minutes * 60, users, way, html }
}

async function soak({ seconds, users, way, html }: Soak): Promise<number> {
  const profile = readProfile()
  const program = await k6Program()
  if (program === undefined) return unavailableCode
  const signals = hearSignals()
  const stage = await openLoadStage({ way, accounts: users, symbols: profile.symbols, say })
  try {
    const sampler = startSampler(stage)
    say(`${users} users for ${seconds} s against ${stage.way}`)
    const run = await runK6(program, {
      workload: 'soak',
      host: `${stage.url}/v1`,
      tokensFile: stage.tokensFile,
      seconds,
      values: {
        ...{ USERS: String(users), SPAWN_RATE: String(Math.max(1, users / 10)) },
        OWN_CANCELS: '1',
      },
      onStart: signals.passTo,
    })
    await sampler.stop()
    await stage.feeder.stop()
    say('halting, and waiting for what is under way')
    const books = await closeBooks(stage.sql, { url: stage.url, token: stage.operatorToken })
    const soaked = { run, samples: sampler.samples(), books, seconds, users, gates: profile.gates }
    const verdicts = soakVerdicts(soaked)
    for (const line of [...loadLines(run.record), '', ...bookLines(books)]) tell(line)
    for (const line of verdictLines(verdicts)) tell(line)
    mkdirSync(join(html, '..'), { recursive: true })
    writeFileSync(html, pageOf({ ...soaked, run, verdicts, way: stage.way }))
    tell(`report: ${html}`)
    return exitCodeOf(verdicts)
  } finally {
    await stage.close()
  }
}

const colours: readonly Line['colour'][] = ['money', 'exposure', 'halt', 'loss', 'price']

function sampledChart(title: string, unit: Sampled['unit'], samples: readonly Sampled[]): Chart {
  const lines = samples
    .filter((one) => one.unit === unit)
    .map(({ name, points }, at) => {
      const minutes = points.map(([second, value]) => [second / 60, value] as const)
      return { name, colour: colours[at % colours.length] ?? 'money', points: minutes }
    })
  return { title, xUnit: 'minutes', yUnit: unit, lines }
}

type Page = Soaked & {
  readonly run: K6Run
  readonly verdicts: readonly Verdict[]
  readonly way: string
}

function pageOf({ run, samples, books, verdicts, seconds, users, way }: Page): string {
  return pageHtml({
    title: 'Soak',
    summary: `${users} users for ${seconds / 60} minutes: client, ${way}, Redis and Postgres on one machine.`,
    facts: { began: new Date(run.startMs).toISOString() },
    verdicts,
    charts: [
      sampledChart('Memory', 'MiB', samples),
      sampledChart('Descriptors', 'descriptors', samples),
      sampledChart('Connections', 'connections', samples),
      ...loadCharts(run),
    ],
    tables: [...bookTables(books), ...loadTables(run)],
  })
}

async function main(args: readonly string[]): Promise<number> {
  let wanted: Soak | 'help'
  try {
    wanted = asked(args)
  } catch (error) {
    say(`test/load/soak: ${error instanceof Error ? error.message : error}\n${help}`)
    return 2
  }
  if (wanted !== 'help') return await soak(wanted)
  tell(help)
  return 0
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
