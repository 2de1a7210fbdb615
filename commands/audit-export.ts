import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { logEntries } from '#core/audit/read/log-entries.ts'
import { readCheckpoint } from '#core/audit/read/make-receipt.ts'
import { systemRecord } from '#core/audit/record.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { findingExits } from '#core/audit/verify/findings.ts'
import { renderReport } from '#core/audit/verify/report.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import { watchLog } from '#core/audit/verify/watch-log.ts'
import { abortableSleep } from './abortable-sleep.ts'
import {
  asUsage,
  openSource,
  readKeys,
  readPolicyFile,
  type SourceOptions,
  wholeNumber,
  withLog,
  withTrust,
} from './audit-source.ts'
import type { CommandIo } from './command-io.ts'
import { examples } from './manual.ts'
import { withOperatorLog } from './operator-log.ts'
import { interrupted } from './process-life.ts'
import { progressBar, progressLine } from './progress-line.ts'

/** Milliseconds between two looks for new entries. */
const pollMs = 1_000

type ExportOptions = SourceOptions & { readonly out: string; readonly partial?: true }

export function auditExportCommand(io: CommandIo): Command {
  const command = new Command('export')
    .summary('write records as gzip JSON lines per hour, for a log shipper')
    .description(`Each file holds the records of an hour in the order of the log, one a line as
{"index":…,"record":…} with the record's own bytes, and beside it the checkpoint that covers them:
  2026-03-01T12Z-000000000000-000000004710.jsonl.gz
  2026-03-01T12Z-000000000000-000000004710.checkpoint
What is exported was verified first; a log that is not right is not exported, and the exit code is
that of \`verify\`. Run it again, from cron for example: it goes on where it ended.`)
    .requiredOption('--out <folder>', 'where files go; what is there already is not written again')
    .option('--partial', 'also the hour that is not over')
  return withTrust(withLog(command))
    .addHelpText(
      'after',
      examples('postern audit export --log ./audit --vkey log.vkey --out ./shipped'),
    )
    .action((options: ExportOptions, own: Command) =>
      asUsage(own, async () => await exportHours(io, options)),
    )
}

async function exportHours(io: CommandIo, options: ExportOptions): Promise<void> {
  const source = await openSource(options)
  const logKeys = await readKeys(options.vkey ?? [])
  const policy = await readPolicyFile(options.policy)
  await mkdir(options.out, { recursive: true })
  const from = await exportedEnd(options.out)
  const newest = await readCheckpoint(source)
  const progress = progressLine(io)
  const report = await verifyLog({
    ...{ source, logKeys, policy, from, signal: interrupted(io) },
    onProgress: ({ done, size }) => progress.tell(() => progressBar(done, size)),
  }).finally(progress.clear)
  if (report.exitCode !== 0 || newest === undefined) {
    io.stderr.write(renderReport(report))
    process.exitCode = report.exitCode === 0 ? findingExits.unknown : report.exitCode
    return
  }
  await recordExport(io, options, { from, to: newest.checkpoint.size })
  let records = 0
  for await (const hour of hoursOf(source, from, newest.checkpoint.size)) {
    if (!hour.isOver && options.partial !== true) break
    await writeHour(options.out, hour, newest.note)
    records += hour.lines.length
  }
  io.stdout.write(`exported ${records} records from entry ${from} to ${options.out}\n`)
}

/** Whoever exports where the database is, leaves a record of it first; elsewhere nobody could. */
async function recordExport(
  io: CommandIo,
  { log: place, out }: ExportOptions,
  range: { readonly from: number; readonly to: number },
): Promise<void> {
  const config = io.config()
  if (config.POSTERN_DATABASE_URL === undefined) return
  const by = `${userInfo().username} at a terminal`
  await withOperatorLog(io, 'export', by, async ({ audit, now }) => {
    const id = Bun.randomUUIDv7()
    const target = `log/${place}`
    const details = { ...range, out, operator: by }
    const type = 'audit.exported'
    await audit.append(systemRecord({ id, type, at: now(), target, outcome: 'ok', details }))
  })
}

type Hour = {
  readonly name: string
  readonly first: number
  readonly lines: readonly string[]
  /** A record of a later hour follows. */
  readonly isOver: boolean
}

/**
 * Cuts the log where its clock, the latest time seen so far, enters another hour: files follow the
 * log's order, and a record that came late stands where the log has it.
 */
async function* hoursOf(source: TileSource, from: number, to: number): AsyncGenerator<Hour> {
  let name = ''
  let first = from
  let lines: string[] = []
  for await (const { index, bytes } of logEntries(source, from, to)) {
    const text = new TextDecoder().decode(bytes)
    const hour = hourOf(text)
    if (hour > name) {
      if (lines.length > 0) yield { name, first, lines, isOver: true }
      name = hour
      first = index
      lines = []
    }
    lines.push(`{"index":${index},"record":${text}}\n`)
  }
  if (lines.length > 0) yield { name, first, lines, isOver: false }
}

function hourOf(record: string): string {
  const { ts } = JSON.parse(record)
  return `${String(ts).slice(0, 13)}Z`
}

const indexDigits = 12

async function writeHour(folder: string, hour: Hour, note: string): Promise<void> {
  const last = hour.first + hour.lines.length - 1
  const range = [hour.first, last].map((index) => String(index).padStart(indexDigits, '0'))
  const name = join(folder, `${hour.name}-${range.join('-')}`)
  await writeFile(`${name}.checkpoint`, note)
  // A shipper picks up what bears its final name, which is whole.
  await writeFile(`${name}.tmp`, Bun.gzipSync(hour.lines.join('')))
  await rename(`${name}.tmp`, `${name}.jsonl.gz`)
}

/** The index behind the last exported one. */
async function exportedEnd(folder: string): Promise<number> {
  const names = await readdir(folder)
  const ends = names.flatMap((name) => /-(\d{12,})\.jsonl\.gz$/.exec(name)?.[1] ?? [])
  return Math.max(0, ...ends.map((end) => Number(end) + 1))
}

export function auditTailCommand(io: CommandIo): Command {
  const command = new Command('tail')
    .summary('print records as they are published, one a line')
    .description(`Prints what is published and checks nothing; \`monitor\` does. Ends with Ctrl-C.`)
    .option('--from <index>', 'begin there instead of at the end', wholeNumber)
  return withLog(command)
    .addHelpText(
      'after',
      examples(
        'postern audit tail --log ./audit',
        'postern audit tail --log ./audit --from 0 | jq -r .type | sort | uniq -c',
      ),
    )
    .action((options: SourceOptions & { readonly from?: number }, own: Command) =>
      asUsage(own, async () => await tail(io, options)),
    )
}

async function tail(
  io: CommandIo,
  options: SourceOptions & { readonly from?: number },
): Promise<void> {
  const source = await openSource(options)
  const signal = interrupted(io)
  let next = options.from
  while (!signal.aborted) {
    const size = (await readCheckpoint(source))?.checkpoint.size ?? 0
    next ??= size
    for await (const { bytes } of logEntries(source, next, size)) {
      io.stdout.write(`${new TextDecoder().decode(bytes)}\n`)
    }
    next = Math.max(next, size)
    await abortableSleep(pollMs, signal)
  }
}

type MonitorOptions = SourceOptions & { readonly every: number; readonly maxAge: number }

export function auditMonitorCommand(io: CommandIo): Command {
  const command = new Command('monitor')
    .summary('verify a log again and again, and say when something is wrong')
    .description(`Prints a line per change of the verdict. Ends with Ctrl-C, and then with the exit code of the worst
verdict it has seen.`)
    .option('--every <seconds>', 'between two verifications', wholeNumber, 10)
    .option('--max-age <seconds>', 'how old the newest sign of life may be', wholeNumber, 60)
  return withTrust(withLog(command))
    .addHelpText(
      'after',
      examples(`postern audit monitor --log https://postern.internal/internal/audit/ --token-file token \
      --vkey log.vkey --policy policy.txt`),
    )
    .action((options: MonitorOptions, own: Command) =>
      asUsage(own, async () => await monitor(io, options)),
    )
}

/** Worst first. */
const exitOrder = [2, 3, 6, 5, 4, 0]

async function monitor(io: CommandIo, options: MonitorOptions): Promise<void> {
  const source = await openSource(options)
  const logKeys = await readKeys(options.vkey ?? [])
  const policy = await readPolicyFile(options.policy)
  let shown: string | undefined
  let worst = 0
  const watch = {
    ...{ source, logKeys, policy, maxAgeSeconds: options.maxAge, everyMs: options.every * 1_000 },
    ...{ now: () => new Date(), sleep: abortableSleep },
  }
  const signal = interrupted(io)
  const watching = watchLog(
    {
      ...watch,
      onReport(report) {
        const verdict = report.worst ?? 'ok'
        if (exitOrder.indexOf(report.exitCode) < exitOrder.indexOf(worst)) worst = report.exitCode
        if (verdict === shown) return
        shown = verdict
        const size = report.checkpoint?.size ?? 0
        const [finding] = report.findings
        const detail = finding === undefined ? '' : `: ${finding.detail}`
        io.stdout.write(`${new Date().toISOString()} ${verdict} at size ${size}${detail}\n`)
      },
    },
    signal,
  )
  await watching.catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  process.exitCode = worst
}
