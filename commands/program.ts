import { type AddHelpTextContext, Command } from 'commander'
import { accessCommand } from './access.ts'
import { auditCommand } from './audit.ts'
import { backtestCommand } from './backtest.ts'
import type { CommandIo } from './command-io.ts'
import { completionCommand } from './completion.ts'
import { doctorCommand } from './doctor.ts'
import { driftCommand } from './drift.ts'
import { healthcheckCommand } from './healthcheck.ts'
import { helpCommand } from './help.ts'
import { exitCodesPage, topicSummaries } from './help-topics.ts'
import { incidentsCommand } from './incidents.ts'
import { initCommand } from './init.ts'
import { jobsCommand } from './jobs.ts'
import { examples, formatManual, pathOf, section, termList, widthOf } from './manual.ts'
import { migrateCommand } from './migrate.ts'
import { revokeCommand } from './revoke.ts'
import { rotatorCommand } from './rotator.ts'
import { runCommand } from './run.ts'
import { schedulesCommand } from './schedules.ts'
import { scoreCommand } from './score.ts'
import { secretsCommand } from './secrets.ts'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'
import { upCommand } from './up.ts'
import { version } from './version.ts'
import { witnessCommand } from './witness.ts'
import { workCommand } from './work.ts'

const description = `One binary in two roles: a gateway that checks who is calling and writes down what was asked, and
workers that get it done exactly once.

Settings are POSTERN_* environment variables; credentials are references into the secret store.
Start with \`postern up\` on a laptop, and with \`postern doctor\` anywhere else.`

/** As the first page groups them; a new command stands in one of these lists and nowhere else. */
const groups: Readonly<Record<string, readonly ((io: CommandIo) => Command)[]>> = {
  'RUN IT': [
    upCommand,
    initCommand,
    runCommand,
    serveCommand,
    workCommand,
    rotatorCommand,
    migrateCommand,
  ],
  'OPERATE IT': [
    ...[doctorCommand, healthcheckCommand, jobsCommand, schedulesCommand, driftCommand],
    ...[incidentsCommand, secretsCommand, revokeCommand],
  ],
  'PROVE IT': [auditCommand, witnessCommand],
  'OFFLINE TOOLS': [accessCommand, tokenCommand, scoreCommand, backtestCommand],
  'THIS PROGRAM': [helpCommand, completionCommand],
}

/** Every command with its page; `printError` writes what went wrong with a command line. */
export function createProgram(
  io: CommandIo,
  printError: (text: string, write: (text: string) => void) => void,
): Command {
  const program = new Command('postern')
    .summary("the guarded side door to a trading platform's job workers")
    .description(description)
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    // `--version` behind a command is that command's: of a secret that is to be revoked.
    .enablePositionalOptions()
    .helpCommand(false)
  for (const [title, commands] of Object.entries(groups)) {
    for (const command of commands) program.addCommand(command(io).helpGroup(title))
  }
  program
    .addHelpText('after', exitSection)
    .addHelpText(
      'after',
      examples(
        'postern up',
        'postern doctor',
        'postern access explain --ip 10.0.3.7 --token "$TOKEN"',
        'postern audit verify --log ./audit --vkey log.vkey --strict',
      ),
    )
    .addHelpText('after', pagesSection)
  return settle(program, printError)
}

function exitSection({ command, error }: AddHelpTextContext): string {
  return `\n${exitCodesPage(widthOf(command, error)).trimEnd()}`
}

function pagesSection({ command, error }: AddHelpTextContext): string {
  const topics = Object.entries(topicSummaries).map(
    ([topic, summary]) => [`postern help ${topic}`, summary] as const,
  )
  const pages = [['postern help <command>', 'its options, with examples'] as const, ...topics]
  return `\n${section('READ ON', termList(pages, widthOf(command, error))).trimEnd()}`
}

/** commander hands settings down only to commands that it creates itself. */
function settle(command: Command, printError: Parameters<typeof createProgram>[1]): Command {
  command
    .exitOverride()
    .configureHelp({ formatHelp: formatManual })
    .helpOption('-h, --help', 'print this page')
    .showHelpAfterError(`(see \`${pathOf(command)} --help\`)`)
    .configureOutput({ outputError: printError })
  for (const child of command.commands) settle(child, printError)
  return command
}
