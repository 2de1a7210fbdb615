// Due exactly when due: a real Postgres whose clock is moved by libfaketime, with restarts between, over
// both ends of summer in three zones, the ends of February and of a year, an hour set back; then with a
// gateway, a worker and a rotator at work while it jumps by 90 days.
//
//   bun test/fault/rotation-due.ts [--runs 1] [--seed 1] [--part dates|work]
//
// Needs libfaketime (Debian: apt-get install faketime); exits 69 without it. Under four minutes on two free cores.
import { movedClock } from './moved-clock.ts'
import { fixedCases, randomCase, runCase, runGrace, runReminder } from './rotation-due-cases.ts'
import { runLive } from './rotation-due-live.ts'
import { type DueRow, type DueStage, openDueStage } from './rotation-due-stage.ts'
import { say } from './stage.ts'

const exitUnavailable = 69
const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const runs = option('runs', 1)
const firstSeed = option('seed', 1)
const part = process.argv[process.argv.indexOf('--part') + 1]

const clock = await movedClock()
if (clock === undefined) {
  say('libfaketime is needed: install it (Debian: apt-get install faketime)')
  process.exit(exitUnavailable)
}
const problems: string[] = []
const width = { title: 62, time: 20, found: 48 }
say(line('case', 'due', 'looked at', 'expected', 'found'))

const stage = await openDueStage(clock, report)
try {
  if (part !== 'work') await runDates(stage)
  if (part !== 'dates') await runLive(stage)
} catch (error) {
  problems.push(String(error).slice(0, 2_000))
} finally {
  await stage.close()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Due exactly when due.' : `${problems.length} differences.`)
process.exit(problems.length === 0 ? 0 : 1)

async function runDates(on: DueStage): Promise<void> {
  const random = Array.from({ length: runs }, (_, index) => randomCase(firstSeed + index))
  for (const [number, one] of [...fixedCases, ...random].entries()) {
    await runCase(on, number, one)
  }
  await runReminder(on)
  await runGrace(on)
}

function report({ title, due, looked, expected, found }: DueRow): void {
  say(line(title, short(due), short(looked), String(expected), String(found)))
  if (expected !== found) {
    problems.push(`${title} at ${looked.toISOString()}: expected ${expected}, found ${found}`)
  }
}

function short(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ')
}

function line(title: string, due: string, looked: string, expected: string, found: string): string {
  const cells = [title.padEnd(width.title), due.padEnd(width.time), looked.padEnd(width.time)]
  return [...cells, expected.padEnd(width.found), found].join('  ')
}
