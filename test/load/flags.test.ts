import { expect, test } from 'bun:test'
import { FlagError, parseFlags } from './flags.ts'
import { readProfile } from './read-profile.ts'

const profile = readProfile()
const host = 'http://127.0.0.1:8000'
const parse = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  parseFlags(args, environment, profile)

function flags(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const asked = parse(args, environment)
  if (asked.kind !== 'run') throw new Error(`asked for ${asked.kind}`)
  return asked.flags
}

test.each([
  [['--master'], 'Unknown option'],
  [['--processes', '4'], 'Unknown option'],
  [['-u', '0'], '--users 0'],
  [['-u', '20001'], '--users 20001'],
  [['-u', '1e3'], '--users 1e3'],
  [['-r', '0'], '--spawn-rate 0'],
  [['-r', '-1'], 'ambiguous'],
  [['-t', '1.5s'], '--run-time 1.5s'],
  [['-t', '1m30'], '--run-time 1m30'],
  [['-f', 'trading_load.ts'], 'not a .py file'],
  [['-H', '127.0.0.1:8000'], 'not an http URL'],
  [['--exit-code-on-error', '256'], '--exit-code-on-error 256'],
  [['--workload', 'chaos'], '--workload chaos'],
  [['-H', host, '--stage'], 'one of the two'],
  [['--csv-full-history'], 'needs --csv'],
  [['NoSuchUser'], 'no class NoSuchUser'],
  [['-T', 'analytics', 'order', '-E', 'order'], 'leave NormalLoad no task'],
])('%j is refused', (args, reason) => {
  expect(() => parse(args)).toThrow(FlagError)
  expect(() => parse(args)).toThrow(reason)
})

test('Locust’s flags are taken by both their names', () => {
  const short = [
    '-f',
    'trading_load.py',
    '-H',
    `${host}/v1/`,
    '-u',
    '1000',
    '-r',
    '100',
    '-t',
    '10m',
  ]
  const long = ['--headless', '--csv', 'out', '--html', 'report.html', '--json', '-s', '5']
  expect(flags([...short, ...long])).toMatchObject({
    ...{ locustfile: 'trading_load.py', host: `${host}/v1`, users: 1_000, spawnRate: 100 },
    ...{ seconds: 600, csv: 'out', html: 'report.html', isJson: true, stopSeconds: 5 },
    ...{ exitCodeOnError: undefined, stage: undefined, workload: 'baseline' },
  })
})

test('a flag may come from the environment, and the command line goes before it', () => {
  const environment = {
    ...{ LOCUST_HOST: host, LOCUST_USERS: '7', LOCUST_RUN_TIME: '1h', LOCUST_TAGS: 'read order' },
    ...{ LOCUST_CSV: 'out', LOCUST_CSV_FULL_HISTORY: 'true', LOCUST_EXIT_CODE_ON_ERROR: '0' },
  }
  expect(flags(['-u', '9', 'NormalLoad'], environment)).toMatchObject({
    ...{ host, users: 9, seconds: 3_600, csv: 'out', isFullHistory: true, exitCodeOnError: 0 },
    filter: { tags: ['read', 'order'] },
  })
})

test('a wrong value of the environment is refused as on the command line', () => {
  expect(() => parse([], { LOCUST_RUN_TIME: '1m30' })).toThrow('--run-time 1m30')
})

test('a tag flag takes all words behind it, and other words are classes', () => {
  expect(flags(['NormalLoad', '-T', 'read', 'cancel', '-u', '5']).filter).toEqual({
    ...{ names: ['NormalLoad'], tags: ['read', 'cancel'], excludedTags: [], isEqual: false },
  })
})

test.each([
  [['--stage'], 'best'],
  [['--stage', '-u', '5'], 'best'],
  [['--stage', 'binary'], 'binary'],
] as const)('%j asks for a stage', (args, expected) => {
  expect(flags(args).stage).toBe(expected)
})

test('help and the list of classes are asked for, and an unknown flag beside them is refused', () => {
  expect(parse(['-h', '-u', '5']).kind).toBe('help')
  expect(parse(['-l']).kind).toBe('list')
  expect(() => parse(['--help', '--nothing'])).toThrow(FlagError)
})
