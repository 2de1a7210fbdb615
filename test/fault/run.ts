// With thousands of jobs in flight: kill -9 the workers, then the gateway, flush Redis, crash
// Postgres. Every accepted job must end with exactly one effect.
//
//   bun test/fault/run.ts [seed]
import { z } from 'zod'
import { openStage, post, type Stage, say, scoreRequests } from './stage.ts'

const jobsInFlight = 2_000
const clients = 50
/** Enough to reckon with that a worker needs milliseconds for each. */
const swapsEach = 80
const trickleMs = 25
const endMsMax = 180_000
const path = '/v1/jobs/score-wallet'
const accepted = z.object({ id: z.uuid() })

const seed = Number(process.argv[2] ?? 1)
const stage = await openStage()
const problems: string[] = []
const ids = new Set<string>()
let refusals = 0
let requests = 0

try {
  await countEffects(stage)
  await main()
} finally {
  await stage.close()
}
for (const problem of problems) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

async function main(): Promise<void> {
  const next = scoreRequests(seed, swapsEach)
  let gateway = await stage.serve()
  let workers = await Promise.all([stage.work(), stage.work()])
  await onePoisoned(next)
  await ended('the requests beside the poisoned one', Date.now())
  await operate('pause')
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: clients }, () => acceptMany(next, jobsInFlight / clients)))
  say(`accepted ${jobsInFlight} in ${seconds(performance.now() - startedAt)}`)
  const trickle = startTrickle(next)
  await operate('resume')
  await progress(20)

  await blow('kill -9 of both workers', async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
    workers = await Promise.all([stage.work(), stage.work()])
  })
  await blow('kill -9 of the gateway', async () => {
    await gateway.kill()
    gateway = await stage.serve()
  })
  await blow('FLUSHALL of Redis', () => stage.redis.flushAll())
  await blow('crash of Postgres', async () => {
    await stage.postgres.stop('immediate')
    await stage.postgres.start()
  })
  for (const { pid } of [gateway, ...workers])
    check(isAlive(pid), `process ${pid} lived through it`)
  await trickle.stop()
  await ended('everything', Date.now())
  await judge()
}

/** One blow, with how much was in flight and how long until jobs ended again. */
async function blow(name: string, strike: () => Promise<unknown>): Promise<void> {
  const open = await unfinished()
  const startedAt = performance.now()
  await strike()
  await progress(1)
  say(`${name}: ${open} in flight, jobs end again after ${seconds(performance.now() - startedAt)}`)
}

async function onePoisoned(next: () => string): Promise<void> {
  const poisoned = next().replace('"payload":{', '"payload":{"no\\u0000te":1e200001,')
  const bodies = Array.from({ length: clients }, (_, index) => (index === 17 ? poisoned : next()))
  const answers = await Promise.all(bodies.map((body) => post(stage, path, { body })))
  const statuses = answers.map((answer) => answer?.status ?? 0)
  for (const answer of answers) if (answer?.status === 202) await remember(answer)
  const poisonedStatus = statuses[17] ?? 0
  const others = statuses.filter((status, index) => index !== 17 && status === 202).length
  say(`one poisoned request among ${clients}: ${poisonedStatus}, the others 202: ${others}`)
  check(poisonedStatus >= 400 && poisonedStatus < 500, `the poisoned request: ${poisonedStatus}`)
  check(others === clients - 1, `${others} of ${clients - 1} neighbours accepted`)
}

async function acceptMany(next: () => string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await acceptSurely(next())
}

/** A client that repeats its request, under one key, until it is answered with 202. */
async function acceptSurely(body: string): Promise<void> {
  const key = crypto.randomUUID()
  requests += 1
  for (;;) {
    const answer = await post(stage, path, { body, key })
    if (answer?.status === 202) return await remember(answer)
    if (answer !== undefined && answer.status < 500 && answer.status !== 409) {
      throw new Error(`refused: ${answer.status} ${await answer.text()}`)
    }
    refusals += 1
    await Bun.sleep(100)
  }
}

async function remember(answer: Response): Promise<void> {
  ids.add(accepted.parse(await answer.json()).id)
}

/** Jobs go on arriving while things break. */
function startTrickle(next: () => string): { stop(): Promise<void> } {
  const underWay = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const accepting = acceptSurely(next()).finally(() => underWay.delete(accepting))
    underWay.add(accepting)
  }, trickleMs)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}

async function operate(act: 'pause' | 'resume'): Promise<void> {
  const answer = await post(stage, `/internal/queues/score-wallet/${act}`)
  if (answer?.ok !== true) throw new Error(`${act}: ${answer?.status}`)
}

/** Counts effects where they happen: each write of a score, in the transaction that makes it. */
async function countEffects({ sql }: Stage): Promise<void> {
  await sql.unsafe(`
    create table fault_effect (job uuid not null);
    grant insert on fault_effect to postern_worker;
    create function count_effect() returns trigger language plpgsql as
      $$ begin insert into fault_effect values (new.job); return new; end $$;
    create trigger count_effect after insert or update on postern_score
      for each row execute function count_effect();`)
}

async function unfinished(): Promise<number> {
  const [row] = await stage.sql<{ count: number }[]>`
    select count(*)::integer as count from postern_job where finished_at is null`
  return row?.count ?? 0
}

async function finishedCount(): Promise<number | undefined> {
  const [row] = await stage.sql<{ count: number }[]>`
    select count(*)::integer as count from postern_job where finished_at is not null`
  return row?.count
}

/** Resolves when `count` more jobs have ended. */
async function progress(count: number): Promise<void> {
  const deadline = Date.now() + endMsMax
  const patient = () => finishedCount().catch(() => undefined)
  let before: number | undefined
  while (Date.now() < deadline) {
    const now = await patient()
    before ??= now
    if (before !== undefined && now !== undefined && now >= before + count) return
    await Bun.sleep(20)
  }
  throw new Error(`no ${count} jobs ended in ${endMsMax} ms`)
}

async function ended(what: string, startedAt: number): Promise<void> {
  while ((await unfinished()) > 0) {
    if (Date.now() - startedAt > endMsMax) throw new Error(`${what} did not end in ${endMsMax} ms`)
    await Bun.sleep(50)
  }
  say(`${what} ended after ${seconds(Date.now() - startedAt)}`)
}

async function judge(): Promise<void> {
  const [counts] = await stage.sql<Counts[]>`
    select (select count(*)::integer from postern_job) as jobs,
      (select count(*)::integer from postern_job where state = 'completed') as completed,
      (select count(*)::integer from fault_effect) as effects,
      (select count(distinct job)::integer from fault_effect) as affected,
      (select count(*)::integer from postern_idempotency) as keys,
      (select max(dispatch) from postern_job) as dispatches`
  const rows = await stage.sql<{ id: string }[]>`select id from postern_job`
  const stored = new Set(rows.map((row) => row.id))
  const lost = [...ids].filter((id) => !stored.has(id)).length
  const records = await auditCounts()
  if (counts === undefined) throw new Error('no counts')
  say(`requests ${requests}, repeated ${refusals}, accepted ${ids.size}, lost ${lost}`)
  say(`jobs ${counts.jobs}, completed ${counts.completed}, most dispatches ${counts.dispatches}`)
  say(`effects ${counts.effects} on ${counts.affected} jobs; audit ${JSON.stringify(records)}`)
  check(lost === 0, `${lost} jobs were answered with 202 and are not there`)
  check(counts.jobs === ids.size, `${counts.jobs} jobs for ${ids.size} answers`)
  check(counts.completed === counts.jobs, `${counts.jobs - counts.completed} did not complete`)
  check(counts.effects === counts.jobs, `${counts.effects} effects for ${counts.jobs} jobs`)
  check(counts.affected === counts.jobs, `${counts.affected} jobs of ${counts.jobs} took effect`)
  check(counts.keys === requests, `${counts.keys} keys for ${requests} requests`)
  check(records['job.accepted'] === counts.jobs, 'one audit record per acceptance')
  check(records['job.completed'] === counts.jobs, 'one audit record per outcome')
  check(await isOutboxEmpty(), 'the outbox is empty')
}

type Counts = Readonly<
  Record<'jobs' | 'completed' | 'effects' | 'affected' | 'keys' | 'dispatches', number>
>

async function auditCounts(): Promise<Record<string, number>> {
  const rows = await stage.sql<{ type: string; count: number }[]>`
    select convert_from(body, 'UTF8')::jsonb ->> 'type' as type, count(*)::integer as count
    from postern_audit_intake group by 1 order by 1`
  return Object.fromEntries(rows.map((row) => [row.type, row.count]))
}

async function isOutboxEmpty(): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    const rows = await stage.sql`select 1 from postern_outbox limit 1`
    if (rows.length === 0) return true
    await Bun.sleep(100)
  }
  return false
}

function check(isKept: boolean, promise: string): void {
  if (!isKept) problems.push(promise)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
