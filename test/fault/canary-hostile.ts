import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CanaryStage } from './canary-stage.ts'
import { canary } from './canary-store.ts'

const mainFile = join(import.meta.dir, '../../main.ts')
const crashFile = join(import.meta.dir, 'canary-crash.ts')
/** Two cores. */
const atOnce = 4
const crashMsMax = 30_000
/** What waits for its server instead of ending is ended then. */
const startMsMax = 15_000

type Settings = Readonly<Record<string, string>>
type Failing = readonly [args: readonly string[], changes: Settings]

const database = (of: string) => ({ POSTERN_DATABASE_URL: `secret:bad/${of}` })
const redis = (of: string) => ({ POSTERN_REDIS_URL: `secret:bad/${of}` })

/** Starts that go wrong, each for another reason; none of them may quote what it was given. */
const failing: readonly Failing[] = [
  ...['database#url', 'database-away#url', 'database-percent#url', 'text#value'].map(
    (of): Failing => [['serve'], database(of)],
  ),
  ...['database#url', 'database-percent#url'].flatMap((of): Failing[] => [
    [['doctor'], { ...database(of), POSTERN_QUEUE: 'postgres' }],
    [['secrets', 'list'], database(of)],
  ]),
  [['rotator'], database('database#url')],
  [['migrate'], database('database-port#url')],
  [['schedules', 'list'], database('database#url')],
  [['audit', 'sequence'], database('database#url')],
  ...['redis#url', 'redis-percent#url'].flatMap((of): Failing[] => [
    [['work'], redis(of)],
    [['doctor', '--json'], redis(of)],
  ]),
  [['doctor'], redis('redis-away#url')],
  [['serve'], redis('redis-percent#url')],
  [['serve'], database('nobody#url')],
  [['serve'], database('text#nothing')],
  [['serve'], { POSTERN_TLS_KEY: 'secret:bad/text#value' }],
  [['serve'], { POSTERN_TLS_CERTIFICATE: 'secret:bad/text#value' }],
  [['serve'], { POSTERN_ISSUER_KEYS: 'secret:bad/issuer#current' }],
  [['doctor'], { POSTERN_ISSUER_KEYS: 'secret:bad/text#json' }],
  [['audit', 'sequence'], { POSTERN_AUDIT_KEYS: 'secret:bad/text#value' }],
  [['audit', 'keys'], { POSTERN_AUDIT_KEYS: 'secret:bad/log#keys' }],
]

/** A value that the settings hold in the clear by mistake: each is one of its own. */
function literals(learn: (name: string) => string): readonly Failing[] {
  const url = (scheme: string, name: string) => `${scheme}://app:${learn(name)}@127.0.0.1:1/x`
  return [
    ...['serve', 'work', 'rotator', 'migrate'].map(
      (command): Failing => [
        [command],
        { POSTERN_MODE: 'production', POSTERN_DATABASE_URL: url('postgres', `${command} literal`) },
      ],
    ),
    [['serve'], { POSTERN_DATABASE_URL: url('postgres', 'literal at a dead port') }],
    [['serve'], { POSTERN_REDIS_URL: url('redis', 'literal redis at a dead port') }],
    [['serve'], { POSTERN_DATABASE_URL: `${url('postgres', 'sslmode')}?sslmode=prefer` }],
    [['serve'], { POSTERN_ISSUER_KEYS: learn('issuer keys in the clear') }],
    [['serve'], { POSTERN_DATABSE_URL: learn('a misspelt name') }],
    [['serve'], { POSTERN_WEBHOOK_KEY: `secret:${learn('a reference that is a key')}` }],
    [['doctor'], { POSTERN_VAULT_ADDRESS: url('https', 'address of vault') }],
    [['doctor'], { POSTERN_SECRET_STORE: 'vault', POSTERN_VAULT_ROLE: learn('role of vault') }],
    [['doctor'], { POSTERN_SECRET_STORE: learn('name of a store') }],
    [['doctor'], { POSTERN_AWS_ENDPOINT: url('http', 'endpoint of aws') }],
    [['doctor'], { POSTERN_ALPACA_URL: url('https', 'url of alpaca') }],
    [['doctor'], { POSTERN_ISSUER: url('https', 'name of the issuer') }],
    [['doctor'], { POSTERN_LISTEN_PORT: learn('a port') }],
    [['doctor'], { POSTERN_AUDIT_ORIGIN: learn('an origin').toUpperCase() }],
  ]
}

/** What a hand in a hurry types: the shell keeps it, we need not. */
function mistypings(learn: (name: string) => string): readonly (readonly string[])[] {
  const url = (name: string) => `postgres://app:${learn(name)}@127.0.0.1/x`
  const set = ['secrets', 'set-rotation', 'desk/plain', '--kind', 'api-key']
  return [
    ['secrets', 'put', 'postern/database', url('an excess argument')],
    ['secrets', 'put', url('a name that is a URL')],
    ['secrets', 'rotate', url('a rotation of a URL')],
    ['secrets', 'history', url('the history of a URL')],
    ['secrets', 'revoke', url('a revoked URL'), '--reason', 'leaked'],
    ['secrets', 'rollback', url('a URL rolled back'), '--reason', 'leaked'],
    ['secrets', `--password=${learn('an unknown option')}`],
    ['secrets', 'list', '--url', url('an unknown option and its value')],
    [learn('an unknown command')],
    [url('a URL as a command')],
    ['serve', url('a URL for serve')],
    ['serve', `--database=${url('an option of serve')}`],
    ['token', 'mint', '--scope', 'jobs:read', '--ttl', learn('a time to live')],
    ['token', 'mint', '--scope', 'jobs:read', '--key', learn('a key of mint')],
    ['token', 'inspect', learn('a token as an argument')],
    [...set, '--hook', `https://user:${learn('user of a hook')}@hook.example/`],
    [...set, '--hook', 'https://hook.example/', '--hook-token', learn('token of a hook')],
    [...set, '--days', learn('days')],
    [...set, '--member', learn('a member')],
    ['secrets', 'set-rotation', 'desk/plain', '--kind', learn('a kind')],
    [
      ...['secrets', 'set-rotation', 'postern/database', '--kind', 'postgres-role'],
      ...['--users', 'app_a,app_b', '--admin', url('an admin in the clear')],
    ],
    ['revoke', '--secret', url('a secret to revoke'), '--version', '1', '--reason', 'r'],
    ['schedules', 'show', url('a schedule')],
    ['schedules', 'set', 'x', '--kind', 'score-cohort', '--cron', learn('a cron')],
    ['access', 'explain', learn('an address')],
    ['audit', 'verify', '--log', url('a log'), '--vkey', learn('a verifier key')],
  ]
}

const bugs = ['redis', 'postgres', 'fetch', 'cause', 'aggregate', 'object', 'exception'] as const

/** Commands that fail, and processes that end by a bug; returns how many of each. */
export async function failStarts(stage: CanaryStage): Promise<ReadonlyMap<string, number>> {
  const { postern, store } = stage
  const learn = (name: string) => {
    const value = canary(name)
    store.secrets.set(name, value)
    return value
  }
  const ports = {
    ...{ POSTERN_LISTEN_PORT: '0', POSTERN_PROBE_PORT: '0' },
    ...{ POSTERN_SEQUENCER_PROBE_PORT: '0', POSTERN_ROTATOR_PROBE_PORT: '0' },
  }
  const starts = [...failing, ...literals(learn)]
  const wrong = mistypings(learn)
  let refused = 0
  const runs = [
    ...starts.map(([args, changes]) => async () => {
      const { code } = await postern(args, { ...ports, ...changes }, startMsMax)
      if (code !== 0) refused += 1
    }),
    ...wrong.map((args) => async () => void (await postern(args))),
    ...bugs.flatMap((bug) => [
      () => crash(stage, { bug, args: ['work'], waitsFor: 2 }),
      () => crash(stage, { bug, args: ['migrate'], waitsFor: 1 }),
    ]),
  ]
  await inTurns(runs)
  return new Map([
    ['starts that go wrong', starts.length],
    ['… and say so', refused],
    ['commands mistyped', wrong.length],
    ['ends by a bug', bugs.length * 2],
  ])
}

async function inTurns(runs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...runs]
  async function take(): Promise<void> {
    for (let run = left.shift(); run !== undefined; run = left.shift()) await run()
  }
  await Promise.all(Array.from({ length: atOnce }, take))
}

type Crash = { readonly bug: string; readonly args: readonly string[]; readonly waitsFor: number }

async function crash(stage: CanaryStage, { bug, args, waitsFor }: Crash): Promise<void> {
  const { folder, store, settings, keep } = stage
  const of = bug === 'redis' ? 'bad/redis' : 'bad/database'
  const { url = '' } = await store.store.read(of, '1')
  const file = join(folder, `crash-${of.replace('/', '-')}`)
  await writeFile(file, url, { mode: 0o600 })
  const child = Bun.spawn([process.execPath, '--preload', crashFile, mainFile, ...args], {
    cwd: join(folder, 'run'),
    env: {
      ...{ PATH: '/usr/bin:/bin', ...settings, POSTERN_PROBE_PORT: '0' },
      ...{ CRASH: bug, CRASH_URL_FILE: file, CRASH_AT: String(waitsFor) },
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const late = setTimeout(() => child.kill('SIGKILL'), crashMsMax)
  const texts = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  clearTimeout(late)
  keep(`${args.join(' ')} that ends by ${bug} (exit ${await child.exited})`, texts.join('\n'))
}
