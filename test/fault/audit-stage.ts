import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { parseSignerKey } from '#core/audit/note/signer.ts'
import { developerAccess } from '#test/support/developer-access.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, type Signal } from '#test/support/server-process.ts'

export const origin = 'postern.test/audit'
export const witnessName = 'witness.test/w1'
const scopes = ['jobs:write:batch', 'jobs:write:scoring', 'jobs:read', 'metrics:read']
const mainFile = join(import.meta.dir, '../../main.ts')
const readyMsMax = 30_000

/** A command of ours as a process. */
export type Side = {
  readonly url: string
  signal(signal: Signal): void
  /** SIGKILL, and gone. */
  kill(): Promise<void>
  /** SIGTERM, and gone. */
  stop(): Promise<void>
  /** What it has logged so far. */
  logged(): Promise<string>
}

export type LogKey = { readonly signerKey: string; readonly verifierKey: string }

export type SequencerPlace = {
  readonly keys: readonly LogKey[]
  readonly databaseUrl?: string
  readonly store?: string
}

export type CommandEnd = { readonly code: number; readonly out: string; readonly err: string }

export type AuditStage = {
  readonly postgres: PostgresServer
  /** Looks at what Postgres holds, from outside. */
  readonly sql: Sql
  readonly token: string
  readonly folder: string
  /** Where the log is published. */
  readonly store: string
  readonly oldKey: LogKey
  readonly newKey: LogKey
  /** One that nobody believes, under the log's name. */
  readonly strangerKey: LogKey
  /** Names both keys of the log and the witness, whose cosignature it asks for. */
  readonly policyFile: string
  /** Both keys of the log, one a line. */
  readonly keysFile: string
  readonly witnessUrl: string
  serve(databaseUrl?: string): Promise<Side>
  work(): Promise<Side>
  sequence(place: SequencerPlace): Promise<Side>
  /** Runs a command to its end, with the settings of `audit sequence` where `place` is given. */
  postern(args: readonly string[], place?: SequencerPlace): Promise<CommandEnd>
  close(): Promise<void>
}

type Environment = Readonly<Record<string, string>>

/** Servers of its own, a witness, and the real commands as processes. */
export async function openAuditStage(): Promise<AuditStage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-fault-audit-'))
  removeAtExit(folder)
  const [server, redis] = await Promise.all([startPostgres(), startRedis()])
  const caller = { subject: 'fault-test', scopes, ttlSeconds: 7_200 }
  const { accessFile, token } = await developerAccess(folder, caller)
  const store = join(folder, 'audit')
  const base: Environment = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'error',
    POSTERN_DATABASE_URL: server.url,
    POSTERN_REDIS_URL: redis.url,
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_DATA_DIRECTORY: folder,
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_STORE: store,
  }
  const processes = openProcesses(folder)
  const postern = (args: readonly string[], environment = base) => processes.run(args, environment)
  ended(await postern(['migrate']))
  const [oldKey, newKey, strangerKey] = await Promise.all(
    ['old', 'new', 'stranger'].map((name) => makeKey(postern, join(folder, `${name}.key`), 'log')),
  )
  if (!oldKey || !newKey || !strangerKey) throw new Error('three keys')
  const witness = await startWitness({ folder, processes, postern, base, logs: [oldKey, newKey] })
  const keysFile = join(folder, 'log.vkeys')
  await writeFile(keysFile, `${oldKey.verifierKey}\n${newKey.verifierKey}\n`)
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined })

  function sequencing(place: SequencerPlace): Environment {
    return {
      ...base,
      POSTERN_DATABASE_URL: place.databaseUrl ?? server.url,
      POSTERN_AUDIT_STORE: place.store ?? store,
      POSTERN_AUDIT_KEYS: place.keys.map(({ signerKey }) => signerKey).join('\n'),
      POSTERN_AUDIT_POLICY: witness.policyFile,
    }
  }

  return {
    ...{ postgres: server, sql, token, folder, store, oldKey, newKey, strangerKey, keysFile },
    policyFile: witness.policyFile,
    witnessUrl: witness.url,
    async serve(databaseUrl = server.url) {
      const environment = { ...base, POSTERN_DATABASE_URL: databaseUrl }
      return await processes.start(['serve'], environment, 'POSTERN_LISTEN_PORT')
    },
    work: () => processes.start(['work'], base, 'POSTERN_PROBE_PORT'),
    sequence: (place) =>
      processes.start(['audit', 'sequence'], sequencing(place), 'POSTERN_SEQUENCER_PROBE_PORT'),
    postern: (args, place) => postern(args, place === undefined ? base : sequencing(place)),
    async close() {
      await processes.killAll()
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

type Processes = ReturnType<typeof openProcesses>

function openProcesses(folder: string) {
  const open = new Set<Bun.Subprocess>()
  let started = 0
  const kill = () => {
    for (const child of open) child.kill('SIGKILL')
  }
  process.once('exit', kill)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

  /** `port` is the setting or option that takes the port it answers at. */
  async function start(
    args: readonly string[],
    environment: Environment,
    port: `POSTERN_${string}` | '--listen',
  ): Promise<Side> {
    const number = await freePort()
    const url = `http://127.0.0.1:${number}`
    const logFile = Bun.file(join(folder, `process-${started++}.log`))
    const isOption = port === '--listen'
    const child = Bun.spawn(
      [process.execPath, mainFile, ...args, ...(isOption ? [port, url.slice(7)] : [])],
      {
        env: isOption ? environment : { ...environment, [port]: String(number) },
        stdout: logFile,
        stderr: logFile,
      },
    )
    open.add(child)
    const logged = () => logFile.text()
    await answering(`${url}/healthz`, child, logged)
    async function end(signal: Signal): Promise<void> {
      child.kill(signal)
      await child.exited
      open.delete(child)
    }
    return {
      ...{ url, logged },
      signal: (signal) => child.kill(signal),
      kill: () => end('SIGKILL'),
      stop: () => end('SIGTERM'),
    }
  }

  async function run(args: readonly string[], environment: Environment): Promise<CommandEnd> {
    const child = Bun.spawn([process.execPath, mainFile, ...args], {
      ...{ env: environment, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    })
    open.add(child)
    const [code, out, err] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    open.delete(child)
    return { code, out, err }
  }

  async function killAll(): Promise<void> {
    kill()
    await Promise.all([...open].map((child) => child.exited))
  }

  return { start, run, killAll }
}

async function answering(
  url: string,
  child: Bun.Subprocess,
  logged: () => Promise<string>,
): Promise<void> {
  const deadline = Date.now() + readyMsMax
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${url} did not answer: ${await logged()}`)
    }
    await Bun.sleep(20)
  }
}

type Postern = (args: readonly string[]) => Promise<CommandEnd>

async function makeKey(postern: Postern, file: string, type: 'log' | 'witness'): Promise<LogKey> {
  const name = type === 'log' ? origin : witnessName
  const keygen = ['witness', 'keygen', '--type', type, '--name', name, '--key', file]
  const verifierKey = ended(await postern(keygen)).trim()
  const signerKey = (await Bun.file(file).text()).trim()
  parseSignerKey(signerKey)
  return { signerKey, verifierKey }
}

async function startWitness(given: {
  readonly folder: string
  readonly processes: Processes
  readonly postern: Postern
  readonly base: Environment
  readonly logs: readonly LogKey[]
}): Promise<{ readonly url: string; readonly policyFile: string }> {
  const { folder, processes, postern, base, logs } = given
  const [keyFile, data] = [join(folder, 'witness.key'), join(folder, 'witness')]
  const { verifierKey } = await makeKey(postern, keyFile, 'witness')
  ended(await postern(['witness', 'init', '--key', keyFile, '--data', data]))
  const logsFile = join(folder, 'logs.txt')
  await writeFile(logsFile, logs.map((log) => `${log.verifierKey}\n`).join(''))
  const options = ['--key', keyFile, '--data', data, '--logs', logsFile]
  const { url } = await processes.start(['witness', ...options], base, '--listen')
  const policyFile = join(folder, 'policy.txt')
  const lines = [
    ...logs.map((log) => `log ${log.verifierKey}`),
    `witness w1 ${verifierKey} ${url}`,
    'quorum w1',
  ]
  await writeFile(policyFile, `${lines.join('\n')}\n`)
  return { url, policyFile }
}

/** What a command printed; throws where it did not end well. */
function ended({ code, out, err }: CommandEnd): string {
  if (code === 0) return out
  throw new Error(`a command ended with ${code}: ${err}${out}`)
}

/** Waits until it is so; throws with `what` when it is not in time. */
export async function until(
  what: string,
  msMax: number,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + msMax
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not in ${msMax} ms: ${what}`)
    await Bun.sleep(50)
  }
}
