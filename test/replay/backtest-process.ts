import { CommanderError } from 'commander'
import { parseConfig } from '#core/config.ts'
import { backtestCommand } from '../../commands/backtest.ts'
import { exitCodes } from '../../commands/command-io.ts'
import { explainFailure } from '../../commands/process-life.ts'

/** `postern backtest` without the rest of the binary. */
const { stdin, stdout, stderr, argv } = process
try {
  const config = () => parseConfig(process.env)
  await backtestCommand({ stdin, stdout, stderr, config }).exitOverride().parseAsync(argv)
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? exitCodes.usage : explainFailure(error, stderr)
}
