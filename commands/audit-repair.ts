import { userInfo } from 'node:os'
import { Command } from 'commander'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { systemRecord } from '#core/audit/record.ts'
import { freezeLog } from '#core/audit/sequence/freeze-log.ts'
import { postgresLogDatabase } from '#core/audit/sequence/postgres-log-database.ts'
import { SequencerRefusal } from '#core/audit/sequence/refusal.ts'
import { resyncLog } from '#core/audit/sequence/resync.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import { openTileSource } from '#core/audit/store/open-tile-store.ts'
import { openLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { asUsage, readText } from './audit-source.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { examples } from './manual.ts'
import { assembleSequencer } from './open-sequencer.ts'
import { openSequencerDatabase, type SequencerDatabase } from './open-sequencer-database.ts'
import { interrupted } from './process-life.ts'
import { progressBar, progressLine } from './progress-line.ts'

const settingsText = `Takes the settings of \`audit sequence\`; the sequencer must be stopped.`

export function auditResyncCommand(io: CommandIo): Command {
  return new Command('resync')
    .summary('fetch from the published tiles what a restored database lacks')
    .description(`For a database that was restored from a backup: the sequencer refuses to sign until the records that
were published meanwhile are back. Nothing is written before all of it was read and makes the signed
root. Interrupted, run it again.

${settingsText}`)
    .option('--known <file...>', 'further signed checkpoints, a witness’s for example')
    .addHelpText(
      'after',
      examples('postern audit resync', 'postern audit resync --known witness.checkpoint'),
    )
    .action(({ known = [] }: { readonly known?: readonly string[] }, own: Command) =>
      asUsage(own, async () => {
        const notes = await Promise.all(known.map(readText))
        await withSequencerDatabase(io, (database) => resync(io, { ...database, notes }))
      }),
    )
}

async function resync(
  io: CommandIo,
  given: SequencerDatabase & { readonly notes: readonly string[] },
): Promise<void> {
  const { sql, settings, notes } = given
  const progress = progressLine(io)
  try {
    const { from, to } = await resyncLog({
      database: postgresLogDatabase(sql),
      source: await openTileSource(settings.store, settings.storeOptions),
      origin: settings.origin,
      keys: settings.keys().verifiers,
      owner: crypto.randomUUID(),
      known: notes,
      onProgress: ({ entries, of }) => progress.tell(() => progressBar(entries, of)),
    })
    progress.clear()
    const fetched = to - from
    io.stdout.write(
      fetched === 0
        ? `nothing was lost: the database holds all ${from} entries\n`
        : `fetched ${fetched} entries; the database holds ${to} again\n`,
    )
  } finally {
    progress.clear()
  }
}

type FreezeOptions = { readonly approvedBy: string; readonly reason: string }

export function auditFreezeCommand(io: CommandIo): Command {
  return new Command('freeze')
    .summary('end the log for ever: no more records, and so no more actions')
    .description(`Writes a last record with both names, signs and publishes the last tree, and lets the database take
no further record: whatever has to be recorded is refused from then on. There is no way back.

${settingsText}`)
    .requiredOption('--approved-by <name>', 'the second person; the first is who runs this')
    .requiredOption('--reason <text>', 'goes into the last record')
    .addHelpText(
      'after',
      examples(`postern audit freeze --approved-by 'R. Okafor' --reason 'service retired'`),
    )
    .action((options: FreezeOptions, own: Command) =>
      asUsage(own, async () => {
        const operator = userInfo().username
        if (options.approvedBy.trim().toLowerCase() === operator.toLowerCase()) {
          own.error('error: --approved-by must name a second person')
        }
        await withSequencerDatabase(io, (database) =>
          freeze(io, { ...database, details: { ...options, operator } }),
        )
      }),
    )
}

async function freeze(
  io: CommandIo,
  given: SequencerDatabase & {
    readonly details: FreezeOptions & { readonly operator: string }
  },
): Promise<void> {
  const { sql, settings, recordSecrets, details } = given
  const log = openLog({ level: 'warn' })
  const metrics = createMetrics()
  const now = () => new Date()
  const journal = await startJournal(sql, { replica: 'freeze', at: now(), details: { ...details } })
  const audit = postgresAuditLog({ sql, journal, log, metrics, now })
  await recordSecrets(audit, now)
  const id = Bun.randomUUIDv7()
  const target = `log/${settings.origin}`
  const type = 'audit.frozen'
  await audit.append(
    systemRecord({ ...{ id, type, at: now(), target, outcome: 'ok' }, details: { ...details } }),
  )
  await audit.close()
  const size = await freezeLog(
    await assembleSequencer({ settings, sql, log, metrics }),
    interrupted(io),
  )
  io.stdout.write(`frozen: the log of ${settings.origin} ends with ${size} entries\n`)
}

async function withSequencerDatabase(
  io: CommandIo,
  act: (database: SequencerDatabase) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  try {
    await act(await openSequencerDatabase(io.config(), stack))
  } catch (error) {
    if (!(error instanceof SequencerRefusal)) throw error
    io.stderr.write(`${error.message}\n`)
    process.exitCode = exitCodes.failed
  }
}
