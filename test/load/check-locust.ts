import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { runCommand, startServer } from '#test/support/server-process.ts'
import { compareRuns, type NameCounts } from './compare-runs.ts'
import { locustFile } from './generate-locust.ts'
import { classesOf, everyClass } from './lib/profile.ts'
import { splitUsers } from './lib/split-users.ts'
import { readProfile } from './read-profile.ts'
import { verdictLines } from './verdicts.ts'

/** The Locust that the shapes of files were taken from. */
const locustVersion = '2.47.0'
const users = 50
const seconds = 20
const latencyMs = 20
/** For a run, its start and its end. */
const runMsMax = (seconds + 60) * 1_000

const help = `usage: test/load/check-locust

Plays the same profile for ${seconds} s with a real Locust ${locustVersion}, installed into a folder of its own and
removed again, and with test/load/run, against the same stub of ${latencyMs} ms: headings of the CSV files and
the split of users are equal, counts of each name within three deviations, and both judge alike.

Exit: 0 all agree · 1 something does not · 2 wrong use · 69 no python3 that could install Locust.`

const say = (line: string) => process.stderr.write(`${line}\n`)
const tell = (line: string) => process.stdout.write(`${line}\n`)

const stats = z.array(z.object({ name: z.string(), method: z.string(), num_requests: z.number() }))

async function check(folder: string): Promise<number> {
  const locust = await installLocust(folder)
  if (locust === undefined) return 69
  const stub = await startStub()
  try {
    const host = `http://127.0.0.1:${stub.port}/v1`
    const shape = ['-u', String(users), '-r', String(users), '-t', `${seconds}s`, '--headless']
    const out = (name: string) => [
      '--csv',
      join(folder, name),
      '--html',
      join(folder, `${name}.html`),
    ]
    say(`Locust, ${users} users for ${seconds} s`)
    const theirs = await run([
      ...[locust, '-f', locustFile, '-H', host, ...shape, ...out('locust')],
      ...['--csv-full-history', '--json', '--only-summary'],
    ])
    say(`k6, ${users} users for ${seconds} s`)
    const ours = await run([
      ...[process.execPath, join(import.meta.dir, 'run.ts'), '-f', locustFile, '-H', host],
      ...[...shape, ...out('k6'), '--csv-full-history', '--json'],
    ])
    const verdicts = await compareRuns({
      folder,
      theirs: { code: theirs.code, counts: countsIn(theirs.out) },
      ours: { code: ours.code, counts: countsIn(ours.out) },
      split: await splits(locust),
    })
    for (const line of verdictLines(verdicts)) tell(line)
    return verdicts.every(({ fate }) => fate === 'met') ? 0 : 1
  } finally {
    await stub.stop()
  }
}

async function installLocust(folder: string): Promise<string | undefined> {
  const home = join(folder, 'locust')
  say(`installing Locust ${locustVersion} into a folder of its own`)
  const made = await run(['python3', '-m', 'venv', home])
  const quiet = ['install', '--quiet', '--disable-pip-version-check', '--no-input']
  const installed =
    made.code === 0
      ? await run([join(home, 'bin/pip'), ...quiet, `locust==${locustVersion}`], 300_000)
      : made
  if (installed.code === 0) return join(home, 'bin/locust')
  say(`cannot tell: Locust could not be installed\n${installed.errors}`)
  return undefined
}

async function startStub() {
  let port = ''
  const stub = await startServer({
    command: [
      ...[process.execPath, join(import.meta.dir, 'stub.ts')],
      ...['--latency-ms', String(latencyMs)],
    ],
    ready: /^stub on \d+/,
    onLine: (line) => {
      port = /^stub on (\d+)/.exec(line)?.[1] ?? port
    },
  })
  return { port, stop: () => stub.stop('SIGTERM') }
}

async function run(command: readonly string[], msMax = runMsMax) {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const late = setTimeout(() => child.kill('SIGKILL'), msMax)
  const [code, out, errors] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  clearTimeout(late)
  return { code, out, errors }
}

function countsIn(json: string): NameCounts {
  // Locust prints a table behind it.
  const end = json.lastIndexOf('\n]') + 2
  const entries = stats.parse(JSON.parse(json.slice(json.indexOf('['), end)))
  return new Map(
    entries.map(({ method, name, num_requests }) => [`${method} ${name}`, num_requests]),
  )
}

/** The dispatcher of the real one, asked for the numbers of users that tests hold as well. */
const dispatched = `
import json, sys
sys.argv = ["check"]
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode
from locust.util.load_locustfile import load_locustfile
classes = [c for c in load_locustfile(FILE)[0].values()]
result = {}
for users in USERS:
    dispatcher = UsersDispatcher([WorkerNode("one")], classes)
    dispatcher.new_dispatch(users, users)
    last = {}
    for step in dispatcher:
        last = step["one"]
    result[users] = last
print(json.dumps(result))
`

async function splits(locust: string) {
  const counts = [5, 10, 50, 100, 1_000]
  const program = dispatched
    .replace('FILE', JSON.stringify(locustFile))
    .replace('USERS', JSON.stringify(counts))
  const text = await runCommand([join(locust, '../python'), '-c', program])
  const schema = z.record(z.string(), z.record(z.string(), z.number()))
  const theirs = schema.parse(JSON.parse(text.trim().split('\n').at(-1) ?? ''))
  const classes = classesOf(readProfile(), everyClass)
  return counts.map((count) => ({
    users: count,
    theirs: theirs[String(count)] ?? {},
    ours: Object.fromEntries(splitUsers(classes, count)),
  }))
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    const isHelp = args.length === 1 && ['-h', '--help'].includes(args[0] ?? '')
    if (isHelp) tell(help)
    else say(help)
    return isHelp ? 0 : 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'postern-locust-'))
  try {
    return await check(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
