import { CommanderError } from 'commander'
import { type CommandIo, exitCodes } from './commands/command-io.ts'
import { guardEnvironment } from './commands/environment-guard.ts'
import { explainBugs, explainFailure, terminated } from './commands/process-life.ts'
import { createProgram } from './commands/program.ts'
import { unquoted } from './commands/unquoted.ts'
import { version } from './commands/version.ts'
import { parseConfig } from './core/config.ts'

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
  try {
    await createProgram(io, printUnquoted).parseAsync(process.argv)
    return typeof process.exitCode === 'number' ? process.exitCode : exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return explainFailure(error, process.stderr)
  }
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
