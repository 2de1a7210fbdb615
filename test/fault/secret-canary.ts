// Every credential of a configuration is a value that stands nowhere else. Gateway, worker, sequencer and
// rotator run with it at the level debug, through rotations of each kind, revocations of each class,
// failing starts, mistyped commands, bugs, cut servers and a torn store. Then whatever anybody could
// read is searched for each value, those that rotations made included, in every encoding: output, metrics,
// answers, Redis, Postgres with its log of statements, the published log, processes, folders.
//
//   bun test/fault/secret-canary.ts [--seed 1] [--seconds 240]
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { databaseText, filesText, redisText } from '#test/support/canary-outputs.ts'
import { type CanaryHit, findCanaries } from '#test/support/canary-search.ts'
import { askForDumps, crawl, readMetrics, strayPorts, titleOf } from './canary-crawl.ts'
import { failStarts } from './canary-hostile.ts'
import {
  cutServers,
  describe,
  ended,
  mintTokens,
  receiveHooks,
  revokeAll,
  rotateAll,
  rotateEchoed,
  rotateInCloud,
  rotateRefused,
  startJobs,
  tearStore,
} from './canary-life.ts'
import { openProviders, type Provider } from './canary-providers.ts'
import { type CanaryStage, openCanaryStage, processNames, until } from './canary-stage.ts'
import { watchStore } from './canary-store.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const seed = option('seed', 1)
/** After which it is given up. */
const runMsMax = option('seconds', 240) * 1_000
const startedAt = performance.now()
/** Until a process that is not ready after a revocation or an outage is given up. */
const backMsMax = 20_000

const problems: string[] = []
const tally = new Map<string, number>()

const stage = await openCanaryStage()
try {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('it did not end in its time')), runMsMax)
  await Promise.race([main(stage), late.promise])
  clearTimeout(timer)
} catch (error) {
  problems.push(`${String(error).slice(0, 2_000)}\n${await lastWords(stage)}`)
}
try {
  // What there is by then is searched, however far it came.
  await endProcesses(stage)
  await gatherFiles(stage)
  judge(stage)
} finally {
  await stage.close()
}
for (const problem of [...new Set(problems)].slice(0, 60)) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

/** Of each process that had something to complain of: why there was nothing to search. */
async function lastWords({ folder }: CanaryStage): Promise<string> {
  const logs = await readdir(join(folder, 'logs'))
  const texts = await Promise.all(
    logs.map(async (name) => {
      const lines = (await readFile(join(folder, 'logs', name), 'utf8')).trim().split('\n')
      const bad = lines.filter((line) => !/"level":"(?:debug|info)"/.test(line)).slice(-5)
      return bad.map((line) => `${name}: ${line.slice(0, 500)}`)
    }),
  )
  return texts.flat().join('\n')
}

function told(what: string): void {
  say(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${what}`)
}

async function main(world: CanaryStage): Promise<void> {
  const watch = watchStore(world.store)
  const hooks = receiveHooks(world)
  const providers = await openProviders(world)
  try {
    await live(world, providers)
    tally.set('webhooks received', hooks.count())
  } finally {
    await watch.stop()
    await hooks.stop()
    await providers.stop()
  }
}

async function live(world: CanaryStage, providers: Provider): Promise<void> {
  await world.postern(['migrate'])
  const roles = 'postern_gateway, postern_worker, postern_sequencer, postern_rotator'
  await world.sql.unsafe(`grant ${roles} to app_a`)
  for (const name of processNames) await until(`${name} is up`, () => world.isUp(name))
  await gatherProcesses(world)
  await describe(world, providers)
  told('all is up, and how each secret is rotated is said')
  const jobs = startJobs(world, seed)
  await mintTokens(world)
  const failures = failStarts(world)
  await rotateAll(world, tally)
  told('each kind is rotated')
  await rotateInCloud(world, providers, tally)
  told('… in a cloud')
  await rotateRefused(world, tally)
  told('… refused')
  await rotateEchoed(world, providers)
  told('… and echoed')
  for (const [what, count] of await failures) tally.set(what, count)
  told('starts have failed')
  await revokeAll(world, tally)
  await bringBack(world)
  told('of every class something is revoked')
  await tearStore(world)
  await cutServers(world)
  await bringBack(world)
  await ended(world, 'rotations after all')
  told('the store was torn, the servers were cut')
  await runCommands(world)
  const { routes, refusals, problems: found } = await crawl(world, jobs.ids[0] ?? '')
  problems.push(...found, ...(await askForDumps(world)), ...(await strayPorts(world)))
  await readMetrics(world)
  tally.set('GET routes asked', routes)
  tally.set('refusals', refusals)
  await jobs.stop()
  tally.set('jobs accepted', jobs.ids.length)
  await gatherProcesses(world)
  told('every route is asked')
}

/**
 * A process that did not change over in the 2 s before its login was taken away cannot ask Postgres
 * what is in force any more: it is started again, and counted.
 */
async function bringBack(world: CanaryStage): Promise<void> {
  for (const name of processNames) {
    const isUp = () => world.isUp(name)
    const isBack = await until(`${name} is back`, isUp, backMsMax).then(
      () => true,
      () => false,
    )
    if (isBack) continue
    tally.set('locked out by a revocation', (tally.get('locked out by a revocation') ?? 0) + 1)
    world.children.get(name)?.kill('SIGKILL')
    await until(`${name} is up again`, isUp)
  }
}

async function runCommands({ postern }: CanaryStage): Promise<void> {
  for (const args of [
    ...[['doctor'], ['doctor', '--json'], ['secrets', 'list'], ['secrets', 'list', '--json']],
    ...[
      ['secrets', 'stored'],
      ['secrets', 'stored', '--json'],
      ['secrets', 'check'],
    ],
    ...[
      ['secrets', 'history', 'desk/echo'],
      ['secrets', 'history', 'postern/database', '--json'],
    ],
    ...[
      ['schedules', 'list'],
      ['schedules', 'list', '--json'],
      ['schedules', 'show', 'check-rotation'],
    ],
    ...[
      ['schedules', 'run', 'check-rotation'],
      ['schedules', 'history', 'check-rotation'],
      ['drift', 'run', '--source', 'runtime'],
      ['drift', 'list', '--state', 'all', '--json'],
    ],
    ...[['audit', 'keys'], ['access', '--help'], ['--help'], ['--version'], ['token', 'keygen']],
  ]) {
    await postern(args)
  }
}

async function gatherProcesses({ children, keep }: CanaryStage): Promise<void> {
  for (const [name, child] of children) keep(...(await titleOf(child.pid, name)))
}

/** Two are asked the ways in which other programs show their inside; none leaves a core behind. */
async function endProcesses({ children, folder }: CanaryStage): Promise<void> {
  children.get('work')?.kill('SIGUSR1')
  children.get('work in a cloud')?.kill('SIGQUIT')
  for (const name of ['serve', 'audit sequence', 'rotator'] as const) {
    children.get(name)?.kill(name === 'rotator' ? 'SIGUSR2' : 'SIGTERM')
  }
  const slow = setTimeout(() => {
    for (const child of children.values()) child.kill('SIGKILL')
  }, 10_000)
  await Promise.all([...children.values()].map((child) => child.exited))
  clearTimeout(slow)
  const left = await readdir(join(folder, 'run'))
  if (left.length > 0) problems.push(`left in the working directory: ${left.join()}`)
}

async function gatherFiles(world: CanaryStage): Promise<void> {
  const { folder, keep, sql, redis, settings, statements, monitored, accessFile } = world
  for (const name of await readdir(join(folder, 'logs'))) {
    keep(`log ${name}`, await readFile(join(folder, 'logs', name), 'utf8'))
  }
  keep('Postgres', await databaseText(sql))
  keep('roles of Postgres', JSON.stringify(await sql`select * from pg_authid`))
  keep('log of Postgres', [...statements.keys()].join('\n'))
  keep('Redis', await redisText(redis.url))
  keep('MONITOR of Redis', monitored.join('\n'))
  keep('users of Redis', await readFile(join(folder, 'users.acl'), 'utf8'))
  const inside = ['SLOWLOG GET 10000', 'ACL LOG', 'ACL LIST', 'CLIENT LIST', 'CONFIG GET *']
  for (const line of inside) {
    const [command = '', ...args] = line.split(' ')
    keep(line, JSON.stringify(await world.root.call(command, ...args)))
  }
  keep('published log', await filesText(settings.POSTERN_AUDIT_STORE))
  keep('data directory', await filesText(settings.POSTERN_DATA_DIRECTORY))
  keep('access file', await readFile(accessFile, 'utf8'))
}

/** A token is told once, to whoever had it made. */
function isAllowed({ name, output }: CanaryHit): boolean {
  return name.startsWith('minted token') && output === 'POST /internal/tokens'
}

function judge({ outputs, store, statements, monitored }: CanaryStage): void {
  const hits = findCanaries(outputs, store.secrets)
  for (const hit of hits.filter((one) => !isAllowed(one))) {
    problems.push(`${hit.name}, ${hit.form}, in ${hit.output}`)
  }
  if (!hits.some(isAllowed)) problems.push('the search does not find the token that was told')
  const mebibytes = outputs.reduce((sum, [, text]) => sum + text.length, 0) / 1_048_576
  tally.set('values searched for', store.secrets.size)
  tally.set('outputs searched', outputs.length)
  tally.set('MiB searched', Math.round(mebibytes))
  const lines = statements.values().reduce((sum, count) => sum + count, 0)
  tally.set('lines of the log of Postgres', lines)
  tally.set('… that differ', statements.size)
  tally.set('commands seen by MONITOR', monitored.length)
  for (const [what, count] of tally) say(`${what.padEnd(40)}${count}`)
}
