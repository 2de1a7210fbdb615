import { Command, CommanderError } from 'commander'
import { parseConfig } from '#core/config.ts'
import { accessCommand } from '../../commands/access.ts'
import { type CommandIo, exitCodes } from '../../commands/command-io.ts'
import { explainFailure } from '../../commands/process-life.ts'
import { revokeCommand } from '../../commands/revoke.ts'
import { secretsCommand } from '../../commands/secrets.ts'
import { tokenCommand } from '../../commands/token.ts'

/** A process with the operator's commands alone, for `commands.test.ts`. */
const io: CommandIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  config: () => parseConfig(process.env),
  environment: process.env,
  version: '0.0.0',
  self: [],
  terminated: () => new Promise(() => undefined),
}

const program = new Command('postern').exitOverride()
for (const make of [accessCommand, tokenCommand, secretsCommand, revokeCommand]) {
  const command = make(io).exitOverride()
  for (const child of command.commands) child.exitOverride()
  program.addCommand(command)
}
try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? exitCodes.usage : explainFailure(error, process.stderr)
}
