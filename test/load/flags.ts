import { parseArgs } from 'node:util'
import { type ClassFilter, classesOf, everyClass, type Profile } from './lib/profile.ts'
import { parseRunTime } from './run-time.ts'

/** What the launcher was asked for; what is undefined is as the workload has it. */
export type Flags = {
  readonly locustfile: string | undefined
  readonly host: string | undefined
  readonly users: number | undefined
  readonly spawnRate: number | undefined
  readonly seconds: number | undefined
  readonly stopSeconds: number
  readonly csv: string | undefined
  readonly isFullHistory: boolean
  readonly html: string | undefined
  readonly isJson: boolean
  readonly exitCodeOnError: number | undefined
  readonly filter: ClassFilter
  readonly workload: Workload
  readonly rate: number | undefined
  readonly stage: StageWay | undefined
  readonly accounts: number | undefined
  readonly tokensFile: string | undefined
  readonly stubSeconds: number | undefined
}

export const workloads = [
  ...(['smoke', 'baseline', '10x', 'soak', 'spike', 'breakpoint'] as const),
  ...(['open-model', 'scoring', 'rotation-under-load'] as const),
] as const
export type Workload = (typeof workloads)[number]

/** Where the stage's Postern comes from; `best` is the container, or else the binary, said loudly. */
export const stageWays = ['best', 'container', 'binary', 'source'] as const
export type StageWay = (typeof stageWays)[number]

export type Asked =
  | { readonly kind: 'help' | 'list' }
  | { readonly kind: 'run'; readonly flags: Flags }

/** Wrong use: exit 2, as Locust and argparse have it. */
export class FlagError extends Error {}

/** More than one machine can play. */
const usersMax = 20_000

/** Flags that have a `LOCUST_` name in the environment, and the name of each. */
const environmentNames = {
  locustfile: 'LOCUST_LOCUSTFILE',
  host: 'LOCUST_HOST',
  users: 'LOCUST_USERS',
  'spawn-rate': 'LOCUST_SPAWN_RATE',
  'run-time': 'LOCUST_RUN_TIME',
  csv: 'LOCUST_CSV',
  html: 'LOCUST_HTML',
  'stop-timeout': 'LOCUST_STOP_TIMEOUT',
  'exit-code-on-error': 'LOCUST_EXIT_CODE_ON_ERROR',
} as const
const environmentSwitches = {
  headless: 'LOCUST_HEADLESS',
  'csv-full-history': 'LOCUST_CSV_FULL_HISTORY',
} as const

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const options = {
  locustfile: { ...text, short: 'f' },
  host: { ...text, short: 'H' },
  users: { ...text, short: 'u' },
  'spawn-rate': { ...text, short: 'r' },
  'run-time': { ...text, short: 't' },
  headless: flag,
  csv: text,
  'csv-full-history': flag,
  html: text,
  json: flag,
  'stop-timeout': { ...text, short: 's' },
  'exit-code-on-error': text,
  tags: { ...text, short: 'T', multiple: true },
  'exclude-tags': { ...text, short: 'E', multiple: true },
  'equal-weights': flag,
  list: { ...flag, short: 'l' },
  help: { ...flag, short: 'h' },
  workload: text,
  rate: text,
  stage: text,
  accounts: text,
  tokens: text,
  'stub-time': text,
} as const

type Environment = Readonly<Record<string, string | undefined>>

export function parseFlags(
  args: readonly string[],
  environment: Environment,
  profile: Profile,
): Asked {
  const { values, positionals } = parsed(args)
  if (values.help === true) return { kind: 'help' }
  if (values.list === true) return { kind: 'list' }
  const given = (name: keyof typeof environmentNames) =>
    values[name] ?? environment[environmentNames[name]]
  const isOn = (name: keyof typeof environmentSwitches) =>
    values[name] ?? isTrue(environment[environmentSwitches[name]])
  const workload = choice('--workload', values.workload ?? 'baseline', workloads)
  const flags: Flags = {
    locustfile: locustfileOf(given('locustfile')),
    host: hostOf(given('host')),
    users: wholeNumber('--users', given('users'), { from: 1, to: usersMax }),
    spawnRate: aboveZero('--spawn-rate', given('spawn-rate')),
    seconds: runTime('--run-time', given('run-time')),
    stopSeconds: runTimeOrZero('--stop-timeout', given('stop-timeout')),
    csv: given('csv'),
    isFullHistory: isOn('csv-full-history'),
    html: given('html'),
    isJson: values.json === true,
    exitCodeOnError: wholeNumber('--exit-code-on-error', given('exit-code-on-error'), {
      from: 0,
      to: 255,
    }),
    filter: {
      names: positionals,
      tags: values.tags ?? words(environment['LOCUST_TAGS']),
      excludedTags: values['exclude-tags'] ?? words(environment['LOCUST_EXCLUDE_TAGS']),
      isEqual: values['equal-weights'] === true,
    },
    workload,
    rate: aboveZero('--rate', values.rate),
    stage: values.stage === undefined ? undefined : choice('--stage', values.stage, stageWays),
    accounts: wholeNumber('--accounts', values.accounts, { from: 1, to: 10_000 }),
    tokensFile: values.tokens,
    stubSeconds: runTimeOrNone('--stub-time', values['stub-time']),
  }
  refuseContradictions(flags, profile)
  return { kind: 'run', flags }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: listsApart(args), options, allowPositionals: true, strict: true })
  } catch (cause) {
    // The first sentence; the rest explains how to pass what begins with a dash.
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new FlagError(reason, { cause })
  }
}

const listFlags: Readonly<Record<string, string>> = {
  '-T': '--tags',
  '--tags': '--tags',
  '-E': '--exclude-tags',
  '--exclude-tags': '--exclude-tags',
}

/** `-T a b` is one flag with two values, and `--stage` alone has one. */
function listsApart(args: readonly string[]): string[] {
  let list: string | undefined
  return args.flatMap((arg, index) => {
    if (!arg.startsWith('-')) return [list === undefined ? arg : `${list}=${arg}`]
    list = listFlags[arg]
    if (list !== undefined) return []
    const isAlone = arg === '--stage' && !isStageWay(args[index + 1])
    return [isAlone ? '--stage=best' : arg]
  })
}

function isStageWay(text: string | undefined): boolean {
  return stageWays.some((way) => way === text)
}

function words(list: string | undefined): string[] {
  return (list ?? '').split(/[\s,]+/).filter((word) => word !== '')
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes', 'on'].includes(value.toLowerCase())
}

function locustfileOf(file: string | undefined): string | undefined {
  if (file !== undefined && !file.endsWith('.py')) throw new FlagError(`-f ${file}: not a .py file`)
  return file
}

function hostOf(host: string | undefined): string | undefined {
  if (host === undefined) return undefined
  if (!/^https?:\/\/[^/]/.test(host)) throw new FlagError(`--host ${host}: not an http URL`)
  return host.replace(/\/+$/, '')
}

function choice<Name extends string>(name: string, given: string, names: readonly Name[]): Name {
  const found = names.find((one) => one === given)
  if (found === undefined) throw new FlagError(`${name} ${given}: one of ${names.join(', ')}`)
  return found
}

function wholeNumber(
  name: string,
  given: string | undefined,
  range: { readonly from: number; readonly to: number },
): number | undefined {
  if (given === undefined) return undefined
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (value >= range.from && value <= range.to) return value
  throw new FlagError(`${name} ${given}: a whole number from ${range.from} to ${range.to}`)
}

function aboveZero(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN
  if (value > 0) return value
  throw new FlagError(`${name} ${given}: a number above 0`)
}

function runTime(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const seconds = parseRunTime(given)
  if (seconds !== undefined) return seconds
  throw new FlagError(`${name} ${given}: a time such as 90, 300s or 1h30m`)
}

function runTimeOrZero(name: string, given: string | undefined): number {
  return given === '0' ? 0 : (runTime(name, given) ?? 0)
}

function runTimeOrNone(name: string, given: string | undefined): number | undefined {
  return given === '0' ? 0 : runTime(name, given)
}

function refuseContradictions(flags: Flags, profile: Profile): void {
  if (flags.host !== undefined && flags.stage !== undefined) {
    throw new FlagError('--host and --stage: one of the two')
  }
  if (flags.isFullHistory && flags.csv === undefined) {
    throw new FlagError('--csv-full-history: needs --csv')
  }
  try {
    const classes = classesOf(profile, flags.filter)
    const idle = classes.filter(({ tasks }) => Object.keys(tasks).length === 0)
    if (idle.length > 0) throw new Error(`the tags leave ${idle[0]?.name} no task`)
  } catch (cause) {
    throw new FlagError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

export function classNames(profile: Profile): readonly string[] {
  return classesOf(profile, everyClass).map(({ name }) => name)
}
