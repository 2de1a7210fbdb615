import { existsSync } from 'node:fs'
import { chmod, chown, copyFile, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import {
  freePort,
  removeAtExit,
  runCommand,
  type ServerProcess,
  type Signal,
  startServer,
} from './server-process.ts'

export type PostgresServer = {
  /** A database of its own name, `postern`; suites that share a server make their own. */
  readonly url: string
  readonly adminUrl: string
  readonly port: number
  /** Of the process that all others are children of; 0 while it is stopped. */
  readonly pid: number
  /** A new empty database; returns its URL. */
  createDatabase(name?: string): Promise<string>
  /** `fast` ends sessions with 57P01, `immediate` is a crash. */
  stop(how?: 'fast' | 'immediate'): Promise<void>
  /** On the same port and data. */
  start(): Promise<void>
  restart(): Promise<void>
  /** Freezes every server process: sockets stay open and nobody answers. */
  pause(): Promise<void>
  resume(): Promise<void>
}

export type PostgresServerOptions = {
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string }
  /** Where its data lies; by itself in a temporary folder. */
  readonly folder?: string | undefined
  /** Extra `name=value` settings. */
  readonly settings?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Hears the server's own log. */
  readonly onLine?: (line: string) => void
}

const debianBinaries = '/usr/lib/postgresql'
const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const satisfies Record<
  string,
  Signal
>

let shared: Promise<PostgresServer> | undefined

/** One server for all suites of a test process; never stop, pause or restart it. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= startPostgres()
  return shared
}

/** A real server on a free loopback port with fsync on, gone when the test process ends. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const { binaries, owner, data: template } = await templateCluster()
  const directory = await makeDirectory(owner, options.folder)
  const data = join(directory, 'data')
  await runCommand(['cp', '-a', template, data])
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...(await tlsSettings(options.tls, data, owner)),
    ...(options.settings ?? []),
  ]
  const command = [
    ...dropTo(owner),
    ...[
      'env',
      ...Object.entries(options.environment ?? {}).map(([key, value]) => `${key}=${value}`),
    ],
    join(binaries, 'postgres'),
    ...['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
  ]
  const launch = () =>
    startServer({
      ...{ command, ready: /database system is ready to accept connections/ },
      onLine: options.onLine,
    })
  return await handle(await launch(), launch, port, options.tls !== undefined)
}

type Cluster = {
  readonly binaries: string
  readonly owner: Owner | undefined
  readonly data: string
}

let template: Promise<Cluster> | undefined

/** initdb takes a second and more; each server starts from a copy of what it made once. */
function templateCluster(): Promise<Cluster> {
  template ??= initializeCluster()
  return template
}

async function initializeCluster(): Promise<Cluster> {
  const binaries = await findBinaries()
  const owner = await serverOwner()
  const data = join(await makeDirectory(owner), 'data')
  await runCommand([
    ...dropTo(owner),
    join(binaries, 'initdb'),
    ...['-D', data, '-U', 'postern', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
  ])
  return { binaries, owner, data }
}

async function makeDirectory(owner: Owner | undefined, parent = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(parent, 'postern-postgres-'))
  removeAtExit(directory)
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid)
  return directory
}

async function handle(
  first: ServerProcess,
  launch: () => Promise<ServerProcess>,
  port: number,
  isTls: boolean,
): Promise<PostgresServer> {
  let server: ServerProcess | undefined = first
  const urlOf = (database: string) => `postgres://postern@127.0.0.1:${port}/${database}`
  const adminUrl = urlOf('postgres')
  async function createDatabase(name = `suite_${crypto.randomUUID().replaceAll('-', '')}`) {
    const sql = postgres(adminUrl, {
      max: 1,
      ssl: isTls ? { rejectUnauthorized: false } : false,
    })
    await sql`create database ${sql(name)}`
    await sql.end()
    return urlOf(name)
  }
  async function stop(how: 'fast' | 'immediate' = 'fast') {
    await server?.stop(stopSignals[how])
    server = undefined
  }
  async function start() {
    server ??= await launch()
  }
  async function signalAll(signal: Signal) {
    if (server === undefined) return
    // While it stands still the postmaster starts no child, and none that has ended disappears.
    if (signal === 'SIGSTOP') process.kill(server.pid, signal)
    for (const pid of await childrenOf(server.pid)) process.kill(pid, signal)
    if (signal !== 'SIGSTOP') process.kill(server.pid, signal)
  }
  return {
    url: await createDatabase('postern'),
    adminUrl,
    port,
    get pid() {
      return server?.pid ?? 0
    },
    createDatabase,
    stop,
    start,
    async restart() {
      await stop()
      await start()
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const listed = await runCommand(['pgrep', '-P', String(pid)])
  return listed.trim().split('\n').map(Number)
}

async function findBinaries(): Promise<string> {
  const onPath = Bun.which('initdb')
  const installed = existsSync(debianBinaries) ? await readdir(debianBinaries) : []
  const newestFirst = installed.sort((left, right) => Number(right) - Number(left))
  const candidates = [
    ...(onPath === null ? [] : [join(onPath, '..')]),
    ...newestFirst.map((version) => join(debianBinaries, version, 'bin')),
  ]
  const found = candidates.find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
  if (found !== undefined) return found
  throw new Error(
    'PostgreSQL 14 or newer is needed: install it (Debian: apt-get install postgresql; ' +
      'macOS: brew install postgresql) or put initdb and postgres on PATH',
  )
}

type Owner = { readonly uid: number; readonly gid: number }

const nobody: Owner = { uid: 65_534, gid: 65_534 }

/** Postgres refuses to run as root: its own account when there is one, else nobody. */
async function serverOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  try {
    const uid = Number(await runCommand(['id', '-u', 'postgres']))
    const gid = Number(await runCommand(['id', '-g', 'postgres']))
    return { uid, gid }
  } catch {
    return nobody
  }
}

function dropTo(owner: Owner | undefined): string[] {
  if (owner === undefined) return []
  return ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--']
}

/** Postgres takes a key only from a file that it alone can read. */
async function tlsSettings(
  tls: PostgresServerOptions['tls'],
  data: string,
  owner: Owner | undefined,
): Promise<string[]> {
  if (tls === undefined) return []
  const certificate = join(data, 'server.crt')
  const key = join(data, 'server.key')
  await copyFile(tls.certificateFile, certificate)
  await copyFile(tls.keyFile, key)
  await chmod(key, 0o600)
  if (owner !== undefined) {
    await chown(certificate, owner.uid, owner.gid)
    await chown(key, owner.uid, owner.gid)
  }
  return ['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`]
}
