import { Command, Option } from 'commander'
import { type Expectation, expectations, quarterDays } from '#core/incident/fault-calendar.ts'
import { type IncidentClass, incidentClasses } from '#core/incident/incident.ts'
import {
  type Incident,
  incidentReads,
  type Recovery,
  windowDays,
  windowDaysMax,
} from '#core/incident/incident-reads.ts'
import { listPageMax } from '#core/job/limits.ts'
import type { CommandIo } from './command-io.ts'
import { idArgument } from './id-argument.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { operator, withOperatorLog } from './operator-log.ts'
import { printable } from './printable.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'

const pageDefault = 50

export function incidentsCommand(io: CommandIo): Command {
  return new Command('incidents')
    .summary('see when the service could not serve, and how fast it recovered')
    .description(`Needs POSTERN_DATABASE_URL. Gateways and workers watch; what happens while the database is away is
told once it is back.`)
    .addCommand(listCommand(io), { isDefault: true })
    .addCommand(mttrCommand(io))
    .addHelpText(
      'after',
      examples('postern incidents', 'postern incidents --open', 'postern incidents mttr'),
    )
}

type ListOptions = {
  readonly class?: IncidentClass
  readonly open?: true
  readonly limit: number
  readonly before?: string
  readonly json?: true
}

function listCommand(io: CommandIo): Command {
  return new Command('list')
    .summary('print incidents, told last first (the default)')
    .addOption(new Option('--class <class>', 'of this class only').choices(incidentClasses))
    .option('--open', 'those that are not over')
    .option('--limit <count>', 'at most so many', wholeNumberArgument(1, listPageMax), pageDefault)
    .option(
      '--before <id>',
      'go on behind the incident with this id',
      idArgument('the id of an incident'),
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('postern incidents list', 'postern incidents list --class database --json'),
    )
    .action(async ({ json, open, before: cursor, ...query }: ListOptions) => {
      await withOperatorLog(io, 'incidents', operator(), async ({ sql }) => {
        const state = open === true ? 'open' : 'all'
        const { incidents, next } = await incidentReads(sql).list({ ...query, state, cursor })
        io.stdout.write(json === true ? jsonText(incidents) : incidents.map(lineOf).join(''))
        if (next !== undefined) io.stderr.write(`There are more: --before ${next}\n`)
      })
    })
}

function mttrCommand(io: CommandIo): Command {
  return new Command('mttr')
    .summary('measured mean times to recover, and what a quarter is expected to cost')
    .description(`Measured are recoveries. The minutes of a quarter are computed: faults that a calendar assumes, times
the measured mean. Where no recovery was measured nothing is computed.`)
    .option(
      '--days <count>',
      'measured over so many days',
      wholeNumberArgument(1, windowDaysMax),
      windowDays,
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('postern incidents mttr', 'postern incidents mttr --days 30 --json'),
    )
    .action(async ({ days, json }: { readonly days: number; readonly json?: true }) => {
      await withOperatorLog(io, 'incidents', operator(), async ({ sql }) => {
        const measured = await incidentReads(sql).recoveries(days)
        const computed = expectations(measured)
        io.stdout.write(
          json === true
            ? jsonText({ days, measured, computed: { days: quarterDays, classes: computed } })
            : mttrText(days, measured, computed),
        )
      })
    })
}

function lineOf({ class: of, state, started_at, recovered_at, seconds, reason }: Incident): string {
  const until = recovered_at ?? 'still open'
  const isUnseen = state === 'unseen' ? ', no recovery seen' : ''
  const span = `${started_at} to ${until.padEnd(24)}`
  return `${of.padEnd(12)}  ${span}  ${secondsText(seconds)}  ${printable(reason)}${isUnseen}\n`
}

const secondsText = (seconds: number) => `${seconds.toFixed(1)} s`.padStart(10)

function mttrText(
  days: number,
  measured: readonly Recovery[],
  computed: readonly Expectation[],
): string {
  return [
    `Measured, incidents that began within ${days} days:\n`,
    ...measured.map(measuredLine),
    `\nComputed for ${quarterDays} days, not measured: the faults that are assumed here, times the mean above:\n`,
    ...computed.map(computedLine),
    sumLine(computed),
  ].join('')
}

function measuredLine({ class: of, recovered, open, ...times }: Recovery): string {
  const { mttr_seconds: mean, worst_seconds: worst } = times
  const stillOpen = open === 0 ? '' : `, ${open} open`
  if (mean === null || worst === null) return `  ${of.padEnd(12)}  no measurement${stillOpen}\n`
  const spread = `mean ${secondsText(mean)}  worst ${secondsText(worst)}`
  return `  ${of.padEnd(12)}  ${spread}  of ${recovered}${stillOpen}\n`
}

function computedLine({ class: of, faults, minutes, because }: Expectation): string {
  const cost = minutes === undefined ? 'no measurement' : `${minutes.toFixed(2)} min`
  return `  ${of.padEnd(12)}  ${String(faults).padStart(2)} faults  ${cost.padStart(14)}  ${because}\n`
}

function sumLine(computed: readonly Expectation[]): string {
  const known = computed.flatMap(({ minutes }) => minutes ?? [])
  const missing = computed.length - known.length
  if (known.length === 0) return '  No class was measured: there is no sum.\n'
  const sum = known.reduce((total, minutes) => total + minutes, 0).toFixed(2)
  const without = missing === 0 ? '' : `, without ${missing} classes that were not measured`
  return `  Expected to be unavailable, in all or in part: ${sum} min${without}\n`
}
