import { isDeepStrictEqual } from 'node:util'
import type { ScheduleDefinition } from '../schedule/schedule.ts'
import type { Finding } from './finding.ts'

/** A process that is alive, and what it says of itself. */
export type LiveProcess = {
  readonly role: string
  readonly host: string
  readonly version: string
  readonly imageDigest: string | null
  readonly accessInForce: string | null
  /** Empty: what lies there cannot be read. */
  readonly accessOnDisk: string | null
  /** Alive for so long that no deployment is under way any more. */
  readonly isSettled: boolean
}

export type RuntimeFacts = {
  readonly processes: readonly LiveProcess[]
  /** As the deployment says; undefined where it does not. */
  readonly imageDigest: string | undefined
  readonly schedules: {
    readonly builtIn: readonly (ScheduleDefinition & { readonly name: string })[]
    readonly stored: readonly (ScheduleDefinition & {
      readonly name: string
      readonly isPaused: boolean
    })[]
  }
  readonly rights: { readonly expected: readonly string[]; readonly found: readonly string[] }
  /** Why a start would refuse this Redis; undefined where the queue is Postgres. */
  readonly redisProblems: readonly string[] | undefined
  /** Of secrets that no rotation has in its hands. */
  readonly secrets: readonly {
    readonly name: string
    readonly current: string
    readonly process: string
    /** Empty: none proved yet. */
    readonly proved: string
  }[]
}

/** What runs, held against what is configured. */
export function judgeRuntime(facts: RuntimeFacts): readonly Finding[] {
  return [
    ...accessFindings(facts),
    ...imageFindings(facts),
    ...facts.schedules.builtIn.flatMap((schedule) => scheduleFindings(schedule, facts)),
    ...rightsFindings(facts),
    ...redisFindings(facts),
    ...secretFindings(facts),
  ]
}

type Differs = Omit<Finding, 'kind'>

function differs(finding: Differs): Finding {
  const { address, attribute, severity, summary } = finding
  return { address, attribute, kind: 'differs', severity, summary }
}

const digitsShown = 12
const short = (digest: string) => digest.replace(/^sha256:/, '').slice(0, digitsShown)

function accessFindings({ processes }: RuntimeFacts): readonly Finding[] {
  const gateways = processes.filter(({ accessInForce }) => accessInForce !== null)
  const held = gateways.filter(({ accessInForce, accessOnDisk }) => accessInForce !== accessOnDisk)
  const settled = gateways.filter(({ isSettled }) => isSettled)
  const versions = distinct(settled.map(({ accessInForce }) => accessInForce ?? ''))
  const about = { address: 'access-file', severity: 'high' } as const
  return [
    ...(held.length === 0
      ? []
      : [
          differs({
            ...{ ...about, attribute: 'in_force' },
            summary: `The access file that is configured is not in force at ${names(held)}: it was refused, or cannot be read`,
          }),
        ]),
    ...(versions.length < 2
      ? []
      : [
          differs({
            ...{ ...about, attribute: 'same_everywhere' },
            summary: `Gateways have different access files in force: ${versions.map(short).join(', ')}`,
          }),
        ]),
  ]
}

function imageFindings({ processes, imageDigest }: RuntimeFacts): readonly Finding[] {
  const settled = processes.filter(({ isSettled }) => isSettled)
  const others = settled.filter(
    (one) => imageDigest !== undefined && one.imageDigest !== imageDigest,
  )
  const address = 'image'
  return [
    ...mixed('version', distinct(settled.map(({ version }) => version))),
    ...(others.length === 0
      ? mixed('digest', distinct(settled.flatMap((one) => one.imageDigest ?? [])).map(short))
      : [
          differs({
            ...{ address, attribute: 'digest', severity: 'high' },
            summary: `${names(others)} run another image than ${short(imageDigest ?? '')}, which is configured`,
          }),
        ]),
  ]
}

function mixed(attribute: string, found: readonly string[]): readonly Finding[] {
  if (found.length < 2) return []
  const summary = `Live processes differ in their ${attribute}: ${found.join(', ')}`
  return [differs({ address: 'image', attribute, severity: 'high', summary })]
}

function scheduleFindings(
  schedule: RuntimeFacts['schedules']['builtIn'][number],
  { schedules }: RuntimeFacts,
): readonly Finding[] {
  const { name, ...wanted } = schedule
  const address = `schedule/${name}`
  const found = schedules.stored.find((one) => one.name === name)
  if (found === undefined) {
    const summary = `${address} comes with this version and is not stored`
    return [differs({ address, attribute: 'stored', severity: 'high', summary })]
  }
  const { name: _name, isPaused, ...stored } = found
  const isChanged = !isDeepStrictEqual(stored, wanted)
  // An operator may do so, and has been recorded; that it lasts should not be forgotten.
  const changed = `${address} is not as it comes with this version`
  const paused = `${address} is paused`
  return [
    ...(isChanged
      ? [differs({ address, attribute: 'definition', severity: 'low', summary: changed })]
      : []),
    ...(isPaused
      ? [differs({ address, attribute: 'paused', severity: 'medium', summary: paused })]
      : []),
  ]
}

/** A line is `<role> <what>: <rights>`. */
function rightsFindings({ rights }: RuntimeFacts): readonly Finding[] {
  const expected = new Map(rights.expected.map(splitRight))
  const found = new Map(rights.found.map(splitRight))
  const places = [...new Set([...expected.keys(), ...found.keys()])].sort()
  return places
    .filter((place) => expected.get(place) !== found.get(place))
    .map((place) => {
      const [is, should] = [found.get(place) ?? 'nothing', expected.get(place) ?? 'nothing']
      const [who = '', ...what] = place.split(' ')
      return differs({
        ...{ address: `right/${who}`, attribute: what.join(' ') },
        severity: isMore(is, should) ? 'high' : 'medium',
        summary: `${who} has ${is} on ${what.join(' ')}, and migrations have granted ${should}`,
      })
    })
}

function splitRight(line: string): readonly [place: string, rights: string] {
  const at = line.lastIndexOf(': ')
  return [line.slice(0, at), line.slice(at + 2)]
}

/** Some right that was not granted; one that is missing shows by itself. */
function isMore(is: string, should: string): boolean {
  const granted = new Set(should.split(', '))
  return is !== 'nothing' && is.split(', ').some((right) => !granted.has(right))
}

/** A Redis without an append-only file is none: Postgres has every job, and doctor gives the advice. */
function redisFindings({ redisProblems: problems = [] }: RuntimeFacts): readonly Finding[] {
  if (problems.length === 0) return []
  const summary = problems.join('; ')
  return [differs({ address: 'redis', attribute: 'settings', severity: 'critical', summary })]
}

function secretFindings({ secrets }: RuntimeFacts): readonly Finding[] {
  const behind = secrets.filter(({ current, proved }) => current !== proved)
  return distinct(behind.map(({ name }) => name)).map((name) => {
    const who = behind.filter((one) => one.name === name).map(({ process }) => process)
    return differs({
      ...{ address: `secret/${name}`, attribute: 'version', severity: 'high' },
      summary: `${distinct(who).join(', ')} have not proved the version of ${name} that is in force`,
    })
  })
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort()
}

function names(processes: readonly LiveProcess[]): string {
  return distinct(processes.map(({ role, host }) => `${role}@${host}`)).join(', ')
}
