import { CommanderError } from 'commander'
import { backtestCommand } from '../../commands/backtest.ts'
import { exitCodes } from '../../commands/command-io.ts'

/** `postern backtest` without the rest of the binary. */
const { stdin, stdout, stderr, argv } = process
try {
  await backtestCommand({ stdin, stdout, stderr }).exitOverride().parseAsync(argv)
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = exitCodes.usage
}
