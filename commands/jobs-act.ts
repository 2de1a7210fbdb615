import { Argument, Command } from 'commander'
import { type CommandIo, exitCodes } from './command-io.ts'
import { idArgument } from './id-argument.ts'
import { jobKinds } from './job-kinds.ts'
import { jobLine } from './job-text.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'
import { found, withJobs } from './with-jobs.ts'

/** Jobs that one command replays at most, as one request may. */
const replayMax = 10_000
const replayDefault = 1_000

type JsonOption = { readonly json?: true }

const sampleId = '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'

const kindArgument = () => new Argument('<kind>', 'of the jobs').choices([...jobKinds.keys()])

export function retryCommand(io: CommandIo): Command {
  return new Command('retry')
    .summary('accept a failed or cancelled job again, under its id')
    .argument('<id>', 'of the job', idArgument('the id of a job'))
    .option('--json', 'the job as JSON')
    .addHelpText('after', examples(`postern jobs retry ${sampleId}`))
    .action(async (id: string, { json }: JsonOption) => {
      await withJobs(io, async ({ jobs, by }) => {
        const job = found(await jobs.retry(id, 'any', by))
        io.stdout.write(json === true ? jsonText(job) : jobLine(job))
      })
    })
}

/** What became of a run, in words. */
const runs = {
  not_running: 'cancelled\n',
  aborted: 'cancelled, and its run was ended\n',
  not_confirmed: 'cancelled; a run that may be under way has no effect any more\n',
} as const

export function cancelCommand(io: CommandIo): Command {
  return new Command('cancel')
    .summary('cancel a job, waiting or running')
    .description(`Exits 1 for a job that had finished already, which stays as it is. A cancelled job can have no
effect any more.`)
    .argument('<id>', 'of the job', idArgument('the id of a job'))
    .option('--json', 'what happened, as JSON')
    .addHelpText('after', examples(`postern jobs cancel ${sampleId}`))
    .action(async (id: string, { json }: JsonOption) => {
      await withJobs(io, async ({ jobs, by }) => {
        const answer = found(await jobs.cancel(id, 'any', by))
        const isLate = answer.outcome === 'too_late'
        if (isLate) process.exitCode = exitCodes.failed
        const text = isLate ? `too late: it is ${answer.job.state}\n` : runs[answer.run]
        io.stdout.write(json === true ? jsonText(answer) : text)
      })
    })
}

export function replayCommand(io: CommandIo): Command {
  return new Command('replay')
    .summary('accept the failed jobs of a kind again, oldest first')
    .addArgument(kindArgument())
    .option('--limit <count>', 'at most so many', wholeNumberArgument(1, replayMax), replayDefault)
    .option('--json', 'how many, as JSON')
    .addHelpText('after', examples('postern jobs replay score-wallet --limit 100'))
    .action(async (kind: string, { limit, json }: JsonOption & { readonly limit: number }) => {
      await withJobs(io, async ({ queues, by }) => {
        const replayed = await queues.replayFailed(kind, limit, by)
        io.stdout.write(json === true ? jsonText({ kind, replayed }) : `replayed ${replayed}\n`)
      })
    })
}

export function pausedCommand(io: CommandIo, act: 'pause' | 'resume'): Command {
  const isPause = act === 'pause'
  return new Command(act)
    .summary(isPause ? 'start no further jobs of a kind' : 'start jobs of a kind again')
    .description(
      `Jobs of a paused kind are accepted and wait; what runs goes on. The engine follows within seconds.`,
    )
    .addArgument(kindArgument())
    .option('--json', 'as JSON')
    .addHelpText('after', examples(`postern jobs ${act} score-wallet`))
    .action(async (kind: string, { json }: JsonOption) => {
      await withJobs(io, async ({ queues, by }) => {
        await queues[act](kind, by)
        const text = `${kind}: ${isPause ? 'paused' : 'resumed'}\n`
        io.stdout.write(json === true ? jsonText({ kind, paused: isPause }) : text)
      })
    })
}
