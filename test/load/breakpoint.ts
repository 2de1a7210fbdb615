import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Curve,
  curveVerdicts,
  isVoid,
  peakOf,
  type Step,
  stepLine,
} from './breakpoint-verdicts.ts'
import { type StageWay, stageWays } from './flags.ts'
import { k6Program, unavailableCode } from './k6.ts'
import { readProfile } from './read-profile.ts'
import { bookLines, bookTables } from './report/book-report.ts'
import { pageHtml } from './report/page.ts'
import { hearSignals } from './signals.ts'
import { closeBooks } from './stage/books.ts'
import { openLoadStage } from './stage/stage.ts'
import { playStep } from './step.ts'
import { exitCodeOf, verdictLines } from './verdicts.ts'

const help = `usage: test/load/breakpoint [options]

Offers orders at fixed rates, up to five times what a held-back Postern can take, and draws what came of
them: 2xx is goodput, 429 and 503 are refused, anything else is an error. A step whose client held
less than 95 % of its rate is void. Goodput at five times saturation must hold 90 % of the peak, which
a step from saturation on must have reached; and a market that denied most makes the run void.

  --cpus N            cores that all of Postern's processes share (0.3; needs docker or root)
  --delay-ms N        milliseconds that Postgres answers later once all is warm (0; needs Toxiproxy)
  --saturation N      a second, where it is known; else found by doubling from --from
  --from N            a second, where the search begins (50)
  --step-seconds N    (20)
  --factors LIST      of saturation (0.25,0.5,0.75,1,1.5,2,3,5)
  --users N           requests that may wait at once at the client (1500)
  --accounts N        (1000)
  --stage WAY         ${stageWays.join(', ')} (best)
  --html FILE         (dist/load/breakpoint.html)

Exit: 0 met · 1 missed · 2 wrong use · 3 void · 69 no k6.`

const say = (line: string) => process.stderr.write(`${line}\n`)
const tell = (line: string) => process.stdout.write(`${line}\n`)
/** Twice the last one each: beyond it the client is what is measured. */
const searchStepsMax = 8
/** Of what is offered: below it the server does not keep up. */
const keptUpPart = 0.9

type Asked = {
  readonly cpus: number | undefined
  readonly delayMs: number
  readonly saturation: number | undefined
  readonly firstRate: number
  readonly stepSeconds: number
  readonly factors: readonly number[]
  readonly users: number
  readonly accounts: number
  readonly way: StageWay
  readonly html: string
}

const text = { type: 'string' } as const
const options = {
  ...{ cpus: text, 'delay-ms': text, saturation: text, from: text, 'step-seconds': text },
  ...{ factors: text, users: text, accounts: text, stage: text, html: text },
  help: { type: 'boolean', short: 'h' },
} as const

function parse(args: readonly string[]): Asked | 'help' {
  const { values } = parseArgs({ args: [...args], options })
  if (values.help === true) return 'help'
  const way = stageWays.find((one) => one === (values.stage ?? 'best'))
  if (way === undefined) throw new Error(`--stage: one of ${stageWays.join(', ')}`)
  const cpus = number('--cpus', values.cpus ?? '0.3')
  const factors = (values.factors ?? '0.25,0.5,0.75,1,1.5,2,3,5').split(',')
  return {
    cpus: cpus === 0 ? undefined : cpus,
    delayMs: number('--delay-ms', values['delay-ms'] ?? '0'),
    saturation:
      values.saturation === undefined ? undefined : number('--saturation', values.saturation),
    firstRate: number('--from', values.from ?? '50'),
    stepSeconds: Math.max(4, number('--step-seconds', values['step-seconds'] ?? '20')),
    factors: factors.map((factor) => number('--factors', factor)),
    users: number('--users', values.users ?? '1500'),
    accounts: number('--accounts', values.accounts ?? '1000'),
    way,
    html: values.html ?? join(import.meta.dir, '../../dist/load/breakpoint.html'),
  }
}

function number(name: string, given: string): number {
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given)
  throw new Error(`${name} ${given}: not a number`)
}

async function curve(asked: Asked): Promise<number> {
  const profile = readProfile()
  const program = await k6Program()
  if (program === undefined) return unavailableCode
  const signals = hearSignals()
  const stage = await openLoadStage({
    ...{ way: asked.way, accounts: asked.accounts, symbols: profile.symbols, say },
    ...{ isHeld: asked.cpus !== undefined, isDelayed: asked.delayMs > 0 },
  })
  try {
    const step = async (rate: number): Promise<Step> => {
      const { users, stepSeconds: seconds } = asked
      if (signals.isStopping()) throw new Error('ended by a signal')
      const made = await playStep({ program, stage, rate, seconds, users, signals })
      tell(stepLine(made))
      return made
    }
    say('warming up, with all cores and Postgres near')
    await step(asked.firstRate)
    if (asked.cpus !== undefined) await stage.postern.limitCpu(asked.cpus)
    if (asked.delayMs > 0) await stage.delayDatabase(asked.delayMs)
    const steps = asked.saturation === undefined ? await search(asked.firstRate, step) : []
    const saturation = asked.saturation ?? Math.max(1, ...steps.map(({ goodput }) => goodput))
    tell(`saturation: ${saturation.toFixed(0)}/s`)
    for (const factor of asked.factors) steps.push(await step(saturation * factor))
    if (asked.cpus !== undefined) await stage.postern.limitCpu(availableParallelism())
    if (asked.delayMs > 0) await stage.delayDatabase(0)
    await stage.feeder.stop()
    say('halting, and waiting for what is under way')
    const books = await closeBooks(stage.sql, { url: stage.url, token: stage.operatorToken })
    return report(asked, { steps, saturation, books }, stage.way)
  } finally {
    await stage.close()
  }
}

/** Doubles the rate until goodput no longer follows; the most that was reached by then is saturation. */
async function search(firstRate: number, step: (rate: number) => Promise<Step>): Promise<Step[]> {
  say('looking for saturation')
  const seen: Step[] = []
  for (let tries = 0, rate = firstRate; tries < searchStepsMax; tries += 1, rate *= 2) {
    const made = await step(rate)
    seen.push(made)
    if (isVoid(made) || made.goodput < made.rate * keptUpPart) break
  }
  return seen
}

function report(asked: Asked, curve: Curve, way: string): number {
  const steps = curve.steps.toSorted((one, other) => one.rate - other.rate)
  const verdicts = curveVerdicts(curve)
  for (const line of [...bookLines(curve.books), ...verdictLines(verdicts)]) tell(line)
  const points = (of: (step: Step) => number) => steps.map((one) => [one.rate, of(one)] as const)
  const page = pageHtml({
    title: 'Breakpoint',
    summary: `Orders at fixed rates against ${way} on ${asked.cpus ?? 'all'} cores, ${asked.delayMs} ms further from Postgres.`,
    facts: {
      saturation: `${curve.saturation.toFixed(0)}/s`,
      peak: `${peakOf(steps).toFixed(0)}/s`,
      'seconds a step': String(asked.stepSeconds),
    },
    verdicts,
    charts: [
      {
        ...{ title: 'What came of it', xUnit: 'orders offered a second', yUnit: 'a second' },
        lines: [
          { name: 'goodput', colour: 'money', points: points((one) => one.goodput), hasDots: true },
          { name: 'refused', colour: 'halt', points: points((one) => one.refused), hasDots: true },
          { name: 'errors', colour: 'loss', points: points((one) => one.errors), hasDots: true },
        ],
      },
      {
        ...{ title: 'p99 of all answers', xUnit: 'orders offered a second', yUnit: 'milliseconds' },
        lines: [
          { name: 'p99', colour: 'exposure', points: points((one) => one.p99Ms), hasDots: true },
        ],
      },
    ],
    tables: [
      ...bookTables(curve.books),
      {
        title: 'Steps',
        columns: ['Offered/s', 'Held', 'Goodput/s', 'Refused/s', 'Errors/s', 'p99 ms', ''],
        rows: steps.map((one) => [
          ...[one.rate.toFixed(0), `${(one.heldPart * 100).toFixed(1)} %`],
          ...[one.goodput.toFixed(1), one.refused.toFixed(1), one.errors.toFixed(1)],
          ...[one.p99Ms.toFixed(1), isVoid(one) ? 'void' : ''],
        ]),
      },
    ],
  })
  mkdirSync(join(asked.html, '..'), { recursive: true })
  writeFileSync(asked.html, page)
  tell(`report: ${asked.html}`)
  return exitCodeOf(verdicts)
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked | 'help'
  try {
    asked = parse(args)
  } catch (error) {
    say(`test/load/breakpoint: ${error instanceof Error ? error.message : error}\n${help}`)
    return 2
  }
  if (asked !== 'help') return await curve(asked)
  tell(help)
  return 0
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
