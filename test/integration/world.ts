import { setDefaultTimeout } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { z } from 'zod'
import type { Submission } from '#core/job/intake.ts'
import type { Attempt, Processor, Work } from '#core/job/processor.ts'
import { migrate } from '#core/postgres/migrate.ts'
import {
  type EngineUrls,
  newJob,
  openAccepting,
  openWorking,
  probeKind,
  submission,
} from '#test/support/job-engine.ts'
import { type PostgresServer, sharedPostgres } from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'

export type Accepting = Awaited<ReturnType<typeof openAccepting>>

export type Probe = (
  attempt: Attempt<{ step: string; text?: string | undefined }>,
  signal: AbortSignal,
) => Promise<Work<unknown>>

// The first world waits for servers to be made; a test that times out takes them down with it.
setDefaultTimeout(30_000)

const databasesMax = 1_000
let redis: Promise<RedisServer> | undefined
let template: Promise<string> | undefined
let databaseNext = 0

/** A world of its own for each test: an empty database, an empty Redis, halves opened on demand. */
export async function openWorld() {
  const server = await sharedPostgres()
  redis ??= startRedis({ args: ['--databases', String(databasesMax)] })
  template ??= makeTemplate(server)
  const postgresUrl = await cloneDatabase(server, await template)
  const redisUrl = `${(await redis).url}/${databaseNext++}`
  return await worldOn({ postgresUrl, redisUrl })
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** A world on servers that the test itself stops and starts. */
export async function worldOn(urls: EngineUrls) {
  const stack = new AsyncDisposableStack()
  const sql = stack.adopt(openSql(urls.postgresUrl), (open) => open.end({ timeout: 1 }))
  return {
    urls,
    sql,
    /** Another gateway: its own memory, its own connections. */
    accept: async (at: EngineUrls = urls): Promise<Accepting> =>
      stack.adopt(await openAccepting(at), (open) => open.close()),
    /** Another worker process; closed by the world unless the test closes it. */
    async work(probe: Probe, options: { at?: EngineUrls; others?: readonly Processor[] } = {}) {
      const processors = [probeProcessor(probe), ...(options.others ?? [])]
      const working = await openWorking(options.at ?? urls, processors)
      let isClosed = false
      const close = async (deadlineMs?: number) => {
        if (isClosed) return
        isClosed = true
        await working.close(deadlineMs)
      }
      stack.defer(() => close(500))
      return { ...working, close }
    },
    /** A worker process that holds what it takes until it is killed; `held` resolves at its first. */
    async workElsewhere() {
      const child = Bun.spawn({
        cmd: [process.execPath, `${import.meta.dir}/holding-worker.ts`, JSON.stringify(urls)],
        stdout: 'pipe',
      })
      stack.defer(() => child.kill('SIGKILL'))
      const held = child.stdout.getReader().read()
      return { held, signal: (name: 'SIGKILL' | 'SIGSTOP') => child.kill(name) }
    },
    /** Closed after what was opened later. */
    atEnd: (close: () => Promise<void>) => stack.defer(close),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function openSql(url: string): Sql {
  return postgres(url, { max: 2, onnotice: () => undefined, backoff: () => 0.2 })
}

export function probeProcessor(probe: Probe): Processor {
  return {
    kind: probeKind,
    process: (attempt, signal) =>
      probe({ ...attempt, payload: probeKind.payload.parse(attempt.payload) }, signal),
  }
}

export async function applyMigrations(url: string): Promise<void> {
  const sql = openSql(url)
  await migrate({ sql, queue: 'redis' })
  // What a job did to the world, counted by the effects of the tests' processors.
  await sql`create table test_effect (job uuid not null, attempt integer not null)`
  await sql`grant select, insert on test_effect to postern_worker`
  await sql.end()
}

async function makeTemplate(server: PostgresServer): Promise<string> {
  const name = 'postern_world_template'
  await applyMigrations(await server.createDatabase(name))
  return name
}

async function cloneDatabase(server: PostgresServer, from: string): Promise<string> {
  const name = `world_${crypto.randomUUID().replaceAll('-', '')}`
  const admin = postgres(server.adminUrl, { max: 1 })
  await admin`create database ${admin(name)} template ${admin(from)}`
  await admin.end()
  return server.adminUrl.replace(/[^/]*$/, name)
}

/** Asks again and again until the answer is there; the bound is the test's own. */
export async function eventually<Answer>(
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  withinMs = 10_000,
): Promise<Answer> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${ask.toString()}`)
    await Bun.sleep(10)
  }
}

/** Accepts one job per step and returns the ids. */
export async function acceptSteps(accepting: Accepting, steps: readonly string[]) {
  const jobs = steps.map((step) => newJob(step))
  await Promise.all(jobs.map((job) => accepting.intake.accept(submission([job]))))
  return jobs.map((job) => job.id)
}

/** The finished job; throws when it is still open after `timeoutMs`. */
export async function finished(accepting: Accepting, id: string, timeoutMs = 10_000) {
  const job = await accepting.jobs.waitFinished(id, 'any', {
    timeoutMs,
    signal: new AbortController().signal,
  })
  if (job?.finishedAt === undefined) throw new Error(`job ${id} is still ${job?.state}`)
  return job
}

const problemSchema = z.object({ type: z.string(), detail: z.string().optional() })

export function problemCode(problem: unknown): string {
  return problemSchema.parse(problem).type.replace('/problems/', '')
}

/** The types of all audit records, in no order, with how often each was written. */
export async function auditCounts(sql: Sql): Promise<Record<string, number>> {
  const rows = await sql<{ type: string; count: number }[]>`
    select convert_from(body, 'UTF8')::jsonb ->> 'type' as type, count(*)::integer as count
    from postern_audit_intake group by 1`
  return Object.fromEntries(rows.map((row) => [row.type, row.count]))
}

export function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    if (signal.aborted) reject(signal.reason)
  })
}

export function keyed(step: string, key: string): Submission {
  return submission([newJob(step)], key)
}
