import { Command, InvalidArgumentError, Option } from 'commander'
import { type JobState, jobStates } from '#core/job/kind.ts'
import { listPageMax } from '#core/job/limits.ts'
import type { CommandIo } from './command-io.ts'
import { idArgument } from './id-argument.ts'
import { jobKinds } from './job-kinds.ts'
import { jobLine, jobPage } from './job-text.ts'
import { cancelCommand, pausedCommand, replayCommand, retryCommand } from './jobs-act.ts'
import { waitCommand } from './jobs-wait.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { parseSpanMs } from './parse-span.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'
import { found, withJobs } from './with-jobs.ts'

/** What fits a screen. */
const pageDefault = 50
const subjectCharsMax = 256

export function jobsCommand(io: CommandIo): Command {
  return new Command('jobs')
    .summary('find jobs, wait for them, cancel, retry, pause a kind')
    .description(`Needs POSTERN_DATABASE_URL and reaches Postgres alone; gateways, workers and the engine follow
within seconds. Every act is in the audit log with the name of who acts.`)
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(waitCommand(io))
    .addCommand(retryCommand(io))
    .addCommand(cancelCommand(io))
    .addCommand(replayCommand(io))
    .addCommand(pausedCommand(io, 'pause'))
    .addCommand(pausedCommand(io, 'resume'))
    .addHelpText(
      'after',
      examples(
        'postern jobs list --state failed --since 1h',
        'postern jobs show 0190a3f2-7c1e-7a4b-9d2e-5f60718293a4',
        'postern jobs replay score-wallet --limit 100',
      ),
    )
}

type ListOptions = {
  readonly kind?: string
  readonly state?: JobState
  readonly subject?: string
  readonly since?: string
  readonly limit: number
  readonly before?: string
  readonly json?: true
}

function listCommand(io: CommandIo): Command {
  return new Command('list')
    .summary('print jobs, newest first')
    .addOption(new Option('--kind <kind>', 'of this kind').choices([...jobKinds.keys()]))
    .addOption(new Option('--state <state>', 'in this state').choices(jobStates))
    .option('--subject <name>', 'of this owner', parseSubject)
    .option('--since <time>', 'accepted since: RFC 3339, or so long ago as 90s, 15m, 2h, 7d', since)
    .option('--limit <count>', 'at most so many', wholeNumberArgument(1, listPageMax), pageDefault)
    .option('--before <id>', 'go on behind this job', idArgument('the id of a job'))
    .option('--json', 'as JSON, with `next`: what --before goes on with')
    .addHelpText(
      'after',
      examples(
        'postern jobs list --kind score-wallet --state running',
        'postern jobs list --subject desk-a --since 2026-03-01T09:00:00Z --json',
      ),
    )
    .action(async ({ json, before: cursor, ...filter }: ListOptions) => {
      await withJobs(io, async ({ jobs }) => {
        const page = await jobs.list({ ...filter, cursor }, 'any')
        io.stdout.write(json === true ? jsonText(page) : page.jobs.map(jobLine).join(''))
        if (json === true || page.next === undefined) return
        io.stderr.write(`There are more: --before ${page.next}\n`)
      })
    })
}

function showCommand(io: CommandIo): Command {
  return new Command('show')
    .summary('print a job with its timeline')
    .argument('<id>', 'of the job', idArgument('the id of a job'))
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern jobs show 0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'))
    .action(async (id: string, { json }: { readonly json?: true }) => {
      await withJobs(io, async ({ jobs }) => {
        const job = found(await jobs.find(id, 'any'))
        io.stdout.write(json === true ? jsonText(job) : jobPage(job))
      })
    })
}

function parseSubject(text: string): string {
  if (/^\S+$/.test(text) && text.length <= subjectCharsMax) return text
  throw new InvalidArgumentError(`at most ${subjectCharsMax} characters, no white space`)
}

/** As RFC 3339. */
function since(text: string): string {
  const agoMs = parseSpanMs(text, ['s', 'm', 'h', 'd'])
  if (agoMs !== undefined) return new Date(Date.now() - agoMs).toISOString()
  const at = Date.parse(text)
  if (/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)) {
    if (Number.isFinite(at)) return new Date(at).toISOString()
  }
  throw new InvalidArgumentError('2026-03-01T09:30:00Z, or 90s, 15m, 2h, 7d')
}
