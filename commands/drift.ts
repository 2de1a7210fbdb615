import { Command, InvalidArgumentError, Option } from 'commander'
import { type DriftSource, driftSources } from '#core/drift/finding.ts'
import { type DriftFinding, driftReads, findingStates } from '#core/drift/postgres-drift.ts'
import { listPageMax } from '#core/job/limits.ts'
import type { CommandIo } from './command-io.ts'
import { runDriftCommand } from './drift-run.ts'
import { idArgument } from './id-argument.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { operator, withOperatorLog } from './operator-log.ts'
import { printable } from './printable.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'

const pageDefault = 50

type JsonOption = { readonly json?: true }

export function driftCommand(io: CommandIo): Command {
  return new Command('drift')
    .summary('see what differs from what is configured')
    .description(`Needs POSTERN_DATABASE_URL. Workers check every day (the schedule check-drift).`)
    .addCommand(runDriftCommand(io))
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addHelpText(
      'after',
      examples(
        'postern drift run',
        'postern drift run --source terraform',
        'postern drift list --state all --json',
      ),
    )
}

type ListOptions = JsonOption & {
  readonly state: (typeof findingStates)[number]
  readonly source?: DriftSource
  readonly limit: number
  readonly before?: string
}

function listCommand(io: CommandIo): Command {
  return new Command('list')
    .summary('print findings, opened last first')
    .addOption(
      new Option('--state <state>', 'which of them').choices(findingStates).default('open'),
    )
    .addOption(new Option('--source <source>', 'of this source only').choices(driftSources))
    .option('--limit <count>', 'at most so many', wholeNumberArgument(1, listPageMax), pageDefault)
    .option(
      '--before <id>',
      'go on behind the finding with this id',
      idArgument('the id of a finding'),
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('postern drift list', 'postern drift list --state all --source plan --json'),
    )
    .action(async ({ json, before: cursor, ...query }: ListOptions) => {
      await withOperatorLog(io, 'drift', operator(), async ({ sql }) => {
        const findings = await driftReads(sql).list({ ...query, cursor })
        io.stdout.write(json === true ? jsonText(findings) : findings.map(lineOf).join(''))
      })
    })
}

function showCommand(io: CommandIo): Command {
  return new Command('show')
    .summary('print one finding')
    .argument('<fingerprint>', 'as a list names it', parseFingerprint)
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern drift show 9f2c… --json'))
    .action(async (fingerprint: string, { json }: JsonOption) => {
      await withOperatorLog(io, 'drift', operator(), async ({ sql }) => {
        const finding = await driftReads(sql).read(fingerprint)
        io.stdout.write(json === true ? jsonText(finding) : describe(finding))
      })
    })
}

function lineOf({ severity, source, state, summary, fingerprint }: DriftFinding): string {
  const isOver = state === 'resolved' ? '  resolved' : ''
  return `${severity.padEnd(8)}  ${source.padEnd(9)}  ${printable(summary)}${isOver}  ${fingerprint}\n`
}

function describe(finding: DriftFinding): string {
  const { address, attribute, kind, first_seen_at, last_seen_at, resolved_at } = finding
  return [
    lineOf(finding),
    `  address    ${printable(address)}\n`,
    `  attribute  ${printable(attribute)}\n`,
    `  kind       ${kind}\n`,
    `  seen       ${first_seen_at} to ${last_seen_at}, opened ${finding.opened_count} times\n`,
    ...(resolved_at === null ? [] : [`  resolved   ${resolved_at}\n`]),
  ].join('')
}

function parseFingerprint(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new InvalidArgumentError('64 hexadecimal digits')
}
