import { Command } from 'commander'
import type { JobState } from '#core/job/kind.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { idArgument } from './id-argument.ts'
import { jobPage } from './job-text.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { interrupted } from './process-life.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'
import { found, withJobs } from './with-jobs.ts'

/** Seconds; a script that waits longer asks again. */
const timeoutDefault = 60
const timeoutMax = 86_400

const exits: Readonly<Record<JobState, number>> = {
  ...{ completed: exitCodes.ok, failed: exitCodes.failed, cancelled: exitCodes.failed },
  ...{ accepted: exitCodes.tryAgain, running: exitCodes.tryAgain },
}

type WaitOptions = { readonly timeout: number; readonly json?: true }

export function waitCommand(io: CommandIo): Command {
  return new Command('wait')
    .summary('wait until a job has finished, and print it')
    .description(`Exits 0 when it is completed, 1 when it has failed or was cancelled, and 75 when it had not
finished in time.`)
    .argument('<id>', 'of the job', idArgument('the id of a job'))
    .option(
      '--timeout <seconds>',
      'no longer than so many',
      wholeNumberArgument(0, timeoutMax, 'seconds'),
      timeoutDefault,
    )
    .option('--json', 'the job as JSON')
    .addHelpText(
      'after',
      examples('postern jobs wait 0190a3f2-7c1e-7a4b-9d2e-5f60718293a4 --timeout 300'),
    )
    .action(async (id: string, { timeout, json }: WaitOptions) => {
      const signal = interrupted(io)
      await withJobs(io, async ({ jobs }) => {
        const limits = { timeoutMs: timeout * 1_000, signal }
        const job = found(await jobs.waitFinished(id, 'any', limits))
        process.exitCode = exits[job.state]
        io.stdout.write(json === true ? jsonText(job) : jobPage(job))
      })
    })
}
