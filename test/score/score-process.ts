import { CommanderError } from 'commander'
import { exitCodes } from '../../commands/command-io.ts'
import { scoreCommand } from '../../commands/score.ts'

/** `postern score` without the rest of the binary. */
const { stdin, stdout, stderr, argv } = process
try {
  await scoreCommand({ stdin, stdout, stderr }).exitOverride().parseAsync(argv)
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = exitCodes.usage
}
