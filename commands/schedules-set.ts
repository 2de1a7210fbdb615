import { Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { misfirePolicies, overlapPolicies, type SlotPolicy } from '#core/schedule/decide-slots.ts'
import { backfillLimit } from '#core/schedule/schedule.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { scheduleNameArgument } from './schedule-name-argument.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'
import { withSchedules } from './with-schedules.ts'

type SetOptions = SlotPolicy & {
  readonly kind: string
  readonly cron: string
  readonly timezone: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly json?: true
}

export function setScheduleCommand(io: CommandIo): Command {
  return new Command('set')
    .summary('make a schedule, or change all of it')
    .description(`Another pattern or zone counts from now on and makes up for nothing.`)
    .argument('<name>', 'lower-case words and dashes', scheduleNameArgument)
    .requiredOption('--kind <kind>', 'the kind of its jobs')
    .requiredOption('--cron <pattern>', 'minute, hour, day of month, month, weekday')
    .option('--timezone <zone>', 'IANA, whose clock the pattern reads', 'UTC')
    .option('--payload <json>', 'of its jobs, as the kind takes it', parsePayload, {})
    .addOption(
      new Option('--misfire <policy>', 'what becomes of slots that were missed')
        .choices(misfirePolicies)
        .default('run_once'),
    )
    .option(
      '--backfill-max <count>',
      'slots that backfill makes up for',
      wholeNumberArgument(1, backfillLimit),
      1,
    )
    .addOption(
      new Option('--overlap <policy>', 'while an earlier job is unfinished')
        .choices(overlapPolicies)
        .default('skip'),
    )
    .option('--json', 'the schedule as JSON')
    .addHelpText(
      'after',
      examples(
        `postern schedules set morning-scores --kind score-cohort --cron '30 6 * * MON-FRI' \
      --timezone Europe/Berlin`,
        `postern schedules set hourly-paper --kind reconcile-account --cron '5 * * * *' \
      --payload '{"account":"paper"}' --misfire backfill --backfill-max 24 --overlap queue`,
      ),
    )
    .action((name: string, options: SetOptions) =>
      set(io, name, options).catch((error: unknown) => explainFaults(io, error)),
    )
}

async function set(io: CommandIo, name: string, options: SetOptions): Promise<void> {
  const { timezone: timeZone, json, ...rest } = options
  await withSchedules(io, async (schedules, asker) => {
    const { schedule, isNew } = await schedules.put(name, { ...rest, timeZone }, asker)
    const next = schedule.next_runs[0] ?? 'never, it is paused'
    const line = `${name}: ${isNew ? 'made' : 'set'}, next ${next}\n`
    io.stdout.write(json === true ? jsonText(schedule) : line)
  })
}

/** What is wrong with an option is a question of use; the pointers name them. */
function explainFaults(io: CommandIo, error: unknown): void {
  if (!(error instanceof PosternError) || error.errors === undefined) throw error
  for (const { pointer, detail } of error.errors) io.stderr.write(`${pointer}: ${detail}\n`)
  process.exitCode = exitCodes.usage
}

const payloadSchema = z.record(z.string(), z.unknown())

function parsePayload(text: string): Readonly<Record<string, unknown>> {
  const parsed = payloadSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError('a JSON object')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
