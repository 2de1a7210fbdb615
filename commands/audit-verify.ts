import { availableParallelism, tmpdir } from 'node:os'
import { Command } from 'commander'
import { renderReport, reportJson, type VerifyReport } from '#core/audit/verify/report.ts'
import { threadedParts } from '#core/audit/verify/threaded-parts.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import {
  asUsage,
  openPlace,
  openSource,
  readKeys,
  readPolicyFile,
  readText,
  type SourceOptions,
  wholeNumber,
  withLog,
  withTrust,
} from './audit-source.ts'
import type { CommandIo } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { interrupted } from './process-life.ts'
import { progressBar, progressLine } from './progress-line.ts'

type VerifyCommandOptions = SourceOptions & {
  readonly from?: number
  readonly lastKnown?: string
  readonly maxAge?: number
  readonly strict?: true
  readonly json?: true
}

const exits = `Exits: 0 all that was asked for was checked and is right · 2 integrity · 3 rollback or truncation ·
4 stale · 5 gap · 6 cannot tell · 64 usage. The worst one wins in the order 2, 3, 6, 5, 4.`

export function auditVerifyCommand(io: CommandIo): Command {
  const command = new Command('verify')
    .summary('verify a published log, offline, without its server or its database')
    .description(exits)
    .option('--from <index>', 'begin at this entry; what lies before is not checked', wholeNumber)
    .option('--last-known <file>', 'a checkpoint you kept: the log must begin with that tree')
    .option('--max-age <seconds>', 'how old the newest sign of life may be', wholeNumber)
    .option('--strict', 'also every record: bytes, form, double ids, numbers, kept checkpoints')
    .option('--json', 'the report as one JSON object')
  return withTrust(withLog(command))
    .addHelpText(
      'after',
      examples(
        'postern audit verify --log ./audit --vkey postern.example.com/audit+1b2c3d4e+AQ…',
        'postern audit verify --log s3://audit-bucket/prod --vkey log.vkey --policy policy.txt --strict',
        `postern audit verify --log https://postern.internal/internal/audit/ --token-file token \
      --vkey log.vkey --last-known yesterday.checkpoint --max-age 60`,
      ),
    )
    .action((options: VerifyCommandOptions, own: Command) =>
      asUsage(own, async () => {
        const report = await runVerification(io, options)
        const text = options.json === true ? jsonOf(report) : renderReport(report)
        io.stdout.write(text)
        process.exitCode = report.exitCode
      }),
    )
}

export function auditGapsCommand(io: CommandIo): Command {
  const command = new Command('gaps')
    .summary('name records that never reached the log, by the numbers of their processes')
    .description(`Every process numbers its records and says how far they are settled; a number that is neither in the
log nor void is a gap. Numbers above that of a process that was killed were in flight: no gap.
Exits with 5 for a gap, and with what \`verify\` exits with where the log itself is wrong.`)
    .option('--json', 'findings and unsettled numbers as one JSON object')
  return withTrust(withLog(command))
    .addHelpText('after', examples('postern audit gaps --log ./audit --vkey log.vkey'))
    .action((options: VerifyCommandOptions, own: Command) =>
      asUsage(own, async () => {
        const report = await runVerification(io, { ...options, strict: true })
        io.stdout.write(options.json === true ? jsonOf(report) : gapText(report))
        process.exitCode = report.exitCode
      }),
    )
}

function jsonOf(report: VerifyReport): string {
  return jsonText(reportJson(report))
}

function gapText(report: VerifyReport): string {
  const gaps = report.findings.filter(({ code }) => /^(?:records|starts)_missing$/.test(code))
  if (report.exitCode !== 0 && gaps.length === 0) return renderReport(report)
  const lines = gaps.map(({ detail }) => `gap         ${detail}\n`)
  for (const { replica, epoch, ranges } of report.inFlight) {
    const numbers = ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ')
    lines.push(`in flight   ${replica}, start ${epoch}: ${numbers}\n`)
  }
  return gaps.length === 0 ? `no gaps\n${lines.join('')}` : lines.join('')
}

async function runVerification(
  io: CommandIo,
  options: VerifyCommandOptions,
): Promise<VerifyReport> {
  const place = await openPlace(options)
  const logKeys = await readKeys(options.vkey ?? [])
  const policy = await readPolicyFile(options.policy)
  const lastKnown = options.lastKnown === undefined ? undefined : await readText(options.lastKnown)
  const source = await openSource(options)
  using runner = options.strict === true ? threadedParts(place, availableParallelism()) : undefined
  const progress = progressLine(io)
  try {
    return await verifyLog({
      ...{ source, logKeys, policy, lastKnown, from: options.from },
      strict: runner && { runner, temporaryDirectory: tmpdir() },
      maxAge:
        options.maxAge === undefined ? undefined : { seconds: options.maxAge, now: new Date() },
      onProgress: ({ done, size }) => progress.tell(() => progressBar(done, size)),
      signal: interrupted(io),
    })
  } finally {
    progress.clear()
  }
}
