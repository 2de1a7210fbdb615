import { Command } from 'commander'
import { type MigrateOptions, migrate, pendingMigrations } from '#core/postgres/migrate.ts'
import type { CommandIo } from './command-io.ts'
import { connectDatabase, databaseUrl } from './connect-database.ts'
import { queueNames } from './job-kinds.ts'
import { examples } from './manual.ts'
import { openSecretReader } from './open-secret-store.ts'
import { progressLine } from './progress-line.ts'

type MigrateFlags = { readonly dryRun?: boolean; readonly json?: boolean }

export function migrateCommand(io: CommandIo): Command {
  return new Command('migrate')
    .summary('bring the database schema up to this binary, forward only')
    .description(`All of it is applied in one transaction or none. Safe to run from several hosts at once: one
applies, the others wait and find nothing to do. A schema newer than this binary is refused.`)
    .option('--dry-run', 'list what would be applied and change nothing')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples('postern migrate', 'postern migrate --dry-run --json'))
    .action((flags: MigrateFlags) => runMigrate(io, flags))
}

async function runMigrate(io: CommandIo, flags: MigrateFlags): Promise<void> {
  const config = io.config()
  await using stack = new AsyncDisposableStack()
  const sql = stack.adopt(
    connectDatabase(config, await databaseUrl(config, openSecretReader(config)), {
      ...{ use: 'migrate', connections: 1, statementTimeoutMs: 0 },
    }),
    (open) => open.end({ timeout: 1 }),
  )
  const target = { sql, queue: config.POSTERN_QUEUE, queues: queueNames }
  const isDryRun = flags.dryRun === true
  const names = isDryRun ? await pendingMigrations(target) : await migrateTelling(io, target)
  io.stdout.write(flags.json === true ? json(names, isDryRun) : text(names, isDryRun))
}

/** What takes long is most often another migrator, or a lock that somebody holds. */
async function migrateTelling(
  io: CommandIo,
  target: Omit<MigrateOptions, 'onApply'>,
): Promise<readonly string[]> {
  const progress = progressLine(io)
  let doing = 'waiting for the lock of migrations'
  progress.keep(() => `${doing} …`)
  try {
    return await migrate({
      ...target,
      onApply: (name) => {
        doing = `applying ${name}`
      },
    })
  } finally {
    progress.clear()
  }
}

function json(names: readonly string[], isDryRun: boolean): string {
  return `${JSON.stringify(isDryRun ? { pending: names } : { applied: names })}\n`
}

function text(names: readonly string[], isDryRun: boolean): string {
  if (names.length === 0) return 'The schema is up to date.\n'
  const verb = isDryRun ? 'pending' : 'applied'
  return names.map((name) => `${verb} ${name}\n`).join('')
}
