import { Command } from 'commander'
import { listPageMax } from '#core/job/limits.ts'
import type { ScheduleDocument, ScheduleRun } from '#core/schedule/schedule.ts'
import type { CommandIo } from './command-io.ts'
import { idArgument } from './id-argument.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { printable } from './printable.ts'
import { scheduleNameArgument } from './schedule-name-argument.ts'
import { setScheduleCommand } from './schedules-set.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'
import { withSchedules } from './with-schedules.ts'

const runsDefault = 20

type JsonOption = { readonly json?: true }

export function schedulesCommand(io: CommandIo): Command {
  return new Command('schedules')
    .summary('see and change what runs by the clock')
    .description(`Needs POSTERN_DATABASE_URL. A running worker follows a change within seconds.`)
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(setScheduleCommand(io))
    .addCommand(removeCommand(io))
    .addCommand(pausedCommand(io, 'pause'))
    .addCommand(pausedCommand(io, 'resume'))
    .addCommand(runCommand(io))
    .addCommand(historyCommand(io))
    .addHelpText(
      'after',
      examples(
        'postern schedules list',
        `postern schedules set morning-scores --kind score-cohort --cron '30 6 * * MON-FRI' \
      --timezone Europe/Berlin`,
        'postern schedules pause verify-audit',
      ),
    )
}

function listCommand(io: CommandIo): Command {
  return new Command('list')
    .summary('print every schedule and when it runs next')
    .option('--json', 'with the next ten runs, as JSON')
    .addHelpText('after', examples('postern schedules list', 'postern schedules list --json'))
    .action(async ({ json }: JsonOption) => {
      await withSchedules(io, async (schedules) => {
        const all = await schedules.list()
        io.stdout.write(json === true ? jsonText(all) : all.map(lineOf).join(''))
      })
    })
}

function showCommand(io: CommandIo): Command {
  return new Command('show')
    .summary('print a schedule with its next ten runs')
    .argument('<name>', 'e.g. verify-audit', scheduleNameArgument)
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern schedules show verify-audit'))
    .action(async (name: string, { json }: JsonOption) => {
      await withSchedules(io, async (schedules) => {
        const schedule = await schedules.find(name)
        io.stdout.write(json === true ? jsonText(schedule) : describe(schedule))
      })
    })
}

function removeCommand(io: CommandIo): Command {
  return new Command('remove')
    .summary('remove a schedule that an operator made; its history stays')
    .argument('<name>', 'e.g. morning-scores', scheduleNameArgument)
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern schedules remove morning-scores'))
    .action(async (name: string, { json }: JsonOption) => {
      await withSchedules(io, async (schedules, asker) => {
        await schedules.remove(name, asker)
        io.stdout.write(json === true ? jsonText({ name }) : `${name}: removed\n`)
      })
    })
}

function pausedCommand(io: CommandIo, act: 'pause' | 'resume'): Command {
  const isPause = act === 'pause'
  return new Command(act)
    .summary(isPause ? 'let no further slot fire' : 'let it fire again, from now on')
    .description(`What is missed during a pause is left out, whatever the misfire policy says.`)
    .argument('<name>', 'e.g. verify-audit', scheduleNameArgument)
    .option('--json', 'the schedule as JSON')
    .addHelpText('after', examples(`postern schedules ${act} verify-audit`))
    .action(async (name: string, { json }: JsonOption) => {
      await withSchedules(io, async (schedules, asker) => {
        const schedule = await schedules[act](name, asker)
        io.stdout.write(json === true ? jsonText(schedule) : lineOf(schedule))
      })
    })
}

function runCommand(io: CommandIo): Command {
  return new Command('run')
    .summary('run a schedule now, beside its slots')
    .description(
      `Prints the id of the job. A schedule that must not overlap is refused while its job is unfinished.`,
    )
    .argument('<name>', 'e.g. verify-audit', scheduleNameArgument)
    .option('--json', 'the run as JSON')
    .addHelpText('after', examples('postern schedules run verify-audit'))
    .action(async (name: string, { json }: JsonOption) => {
      await withSchedules(io, async (schedules, asker) => {
        const run = await schedules.runNow(name, asker)
        io.stdout.write(json === true ? jsonText(run) : runLine(run))
      })
    })
}

type HistoryOptions = JsonOption & { readonly limit: number; readonly before?: string }

function historyCommand(io: CommandIo): Command {
  return new Command('history')
    .summary('print what became of the slots of a schedule, newest first')
    .argument('<name>', 'e.g. verify-audit', scheduleNameArgument)
    .option('--limit <count>', 'at most so many', wholeNumberArgument(1, listPageMax), runsDefault)
    .option('--before <id>', 'go on behind this run', idArgument('the id of a run'))
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern schedules history verify-audit --limit 5'))
    .action(async (name: string, { json, limit, before: cursor }: HistoryOptions) => {
      await withSchedules(io, async (schedules) => {
        const page = await schedules.runs(name, { limit, cursor })
        io.stdout.write(json === true ? jsonText(page) : page.runs.map(runLine).join(''))
      })
    })
}

function lineOf({ name, kind, cron, time_zone, paused, next_runs }: ScheduleDocument): string {
  const next = paused ? 'paused' : `next ${next_runs[0] ?? 'never'}`
  return `${printable(name)}  ${printable(kind)}  ${printable(cron)} ${time_zone}  ${next}\n`
}

function describe(schedule: ScheduleDocument): string {
  const { payload, misfire, backfill_max, overlap, source, changed_by, changed_at } = schedule
  const upTo = misfire === 'backfill' ? `, up to ${backfill_max}` : ''
  return [
    lineOf(schedule),
    `  payload  ${printable(JSON.stringify(payload))}\n`,
    `  misfire  ${misfire}${upTo}; overlap ${overlap}\n`,
    `  ${source}, changed ${changed_at} by ${printable(changed_by)}\n`,
    ...(schedule.paused_by === null
      ? []
      : [`  paused ${schedule.paused_at} by ${printable(schedule.paused_by)}\n`]),
    ...schedule.next_runs.map((slot) => `  next     ${slot}\n`),
  ].join('')
}

function runLine({ slot, cause, outcome, job_id, job_state }: ScheduleRun): string {
  const job = job_id === null ? '' : `  job ${job_id} ${job_state ?? 'past its retention'}`
  return `${slot}  ${cause}  ${outcome}${job}\n`
}
