import { Command, CommanderError } from 'commander'
import { accessCommand } from './commands/access.ts'
import { auditCommand } from './commands/audit.ts'
import { backtestCommand } from './commands/backtest.ts'
import { type CommandIo, exitCodes } from './commands/command-io.ts'
import { doctorCommand } from './commands/doctor.ts'
import { driftCommand } from './commands/drift.ts'
import { guardEnvironment } from './commands/environment-guard.ts'
import { healthcheckCommand } from './commands/healthcheck.ts'
import { incidentsCommand } from './commands/incidents.ts'
import { migrateCommand } from './commands/migrate.ts'
import { explainBugs, explainFailure, terminated } from './commands/process-life.ts'
import { revokeCommand } from './commands/revoke.ts'
import { rotatorCommand } from './commands/rotator.ts'
import { runCommand } from './commands/run.ts'
import { schedulesCommand } from './commands/schedules.ts'
import { scoreCommand } from './commands/score.ts'
import { secretsCommand } from './commands/secrets.ts'
import { serveCommand } from './commands/serve.ts'
import { tokenCommand } from './commands/token.ts'
import { unquoted } from './commands/unquoted.ts'
import { upCommand } from './commands/up.ts'
import { version } from './commands/version.ts'
import { witnessCommand } from './commands/witness.ts'
import { workCommand } from './commands/work.ts'
import { parseConfig } from './core/config.ts'

const description = `The guarded side door to a trading platform's job workers.

Settings are POSTERN_* environment variables (README lists them); credentials are references into
the secret store. Start with \`postern up\` on a laptop, \`postern doctor\` anywhere else.`

/** argv and environment enter here and nowhere else. */
async function main(): Promise<number> {
  explainBugs(process.stderr)
  const io: CommandIo = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    config: () => {
      guardEnvironment({
        environment: process.env,
        execArgv: process.execArgv,
        isCompiled: isCompiled(),
      })
      return parseConfig(process.env)
    },
    environment: process.env,
    version,
    self: selfCommand(),
    terminated,
  }
  const program = new Command('postern')
    .description(description)
    .version(version)
    .exitOverride()
    // `--version` behind a command is that command's: of a secret that is to be revoked.
    .enablePositionalOptions()
    .showHelpAfterError('(run with --help for usage and examples)')
    .configureOutput({ outputError: printUnquoted })
  const commands = [
    ...[upCommand, serveCommand, workCommand, rotatorCommand, runCommand],
    migrateCommand,
  ]
  const tools = [doctorCommand, healthcheckCommand, tokenCommand, accessCommand, secretsCommand]
  for (const command of [
    ...commands,
    ...tools,
    auditCommand,
    backtestCommand,
    driftCommand,
    incidentsCommand,
    revokeCommand,
    schedulesCommand,
    scoreCommand,
    witnessCommand,
  ]) {
    program.addCommand(inheritExit(command(io)))
  }
  try {
    await program.parseAsync(process.argv)
    return typeof process.exitCode === 'number' ? process.exitCode : exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return explainFailure(error, process.stderr)
  }
}

/** commander hands exitOverride down only to commands it creates itself. */
function inheritExit(command: Command): Command {
  command
    .exitOverride()
    .showHelpAfterError('(run with --help for usage and examples)')
    .configureOutput({ outputError: printUnquoted })
  for (const child of command.commands) inheritExit(child)
  return command
}

function printUnquoted(text: string, write: (text: string) => void): void {
  write(unquoted(text, process.argv.slice(2)))
}

/** The compiled binary is its own command; from source it is Bun and this file. */
function selfCommand(): readonly string[] {
  return isCompiled() ? [process.execPath] : [process.execPath, Bun.main]
}

function isCompiled(): boolean {
  return Bun.main.startsWith('/$bunfs/')
}

process.exit(await main())
