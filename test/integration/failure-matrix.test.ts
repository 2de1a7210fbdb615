import { expect, test } from 'bun:test'
import type { TransactionSql } from 'postgres'
import { PosternError } from '#core/errors.ts'
import { newJob, type submission, testCaller } from '#test/support/job-engine.ts'
import { type TreacherousProxy, type Treason, treacherousProxy } from './treacherous-proxy.ts'
import {
  type Accepting,
  auditCounts,
  eventually,
  finished,
  keyed,
  openWorld,
  type World,
} from './world.ts'

type Write = Omit<Treason, 'how'> & { readonly on: 'postgres' | 'redis' }
type Act = 'run' | 'retry' | 'cancel'

const has =
  (...parts: readonly string[]) =>
  (text: string) =>
    parts.every((part) => text.includes(part))

/** Every write on the way of a job, by what its bytes contain and what its answer says. */
const writes: readonly (readonly [string, Act, Write])[] = [
  ['the accepting statement', 'run', on('postgres', has('"job.accepted'), has('DELETE '))],
  ['the addition to the engine', 'run', on('redis', has('"payload":{"step"'), has('\r\n'))],
  [
    'the deletion of the outbox row',
    'run',
    on('postgres', has('outbox where id = any'), has('DELETE ')),
  ],
  ['the outcome with its effect', 'run', on('postgres', has('job.completed'), has('SELECT '))],
  ['the commit of outcome and effect', 'run', on('postgres', has('commit'), has('COMMIT'))],
  ['the acknowledgement', 'run', on('redis', has('completed'), has('\r\n'))],
  ['the retry', 'retry', on('postgres', has('job.retried'), has('SELECT '))],
  ['the failure', 'retry', on('postgres', has('"job.failed'), has('SELECT '))],
  ['the cancellation', 'cancel', on('postgres', has('job.cancelled'), has('SELECT '))],
]

function on(server: Write['on'], isWrite: Write['isWrite'], isDone: Write['isDone']): Write {
  return { on: server, isWrite, isDone }
}

const cases = writes.flatMap(([name, act, write]) =>
  (['lost', 'done, answer lost'] as const).map((how) => [name, how, act, write] as const),
)

test.each(cases)(
  '%s is %s: every job ends once, with one effect and its records',
  async (_name, how, act, write) => {
    await using world = await openWorld()
    const [database, engine] = await Promise.all([
      proxyTo(world.urls.postgresUrl),
      proxyTo(world.urls.redisUrl),
    ])
    const at = { postgresUrl: database.url, redisUrl: engine.url }
    world.atEnd(database.proxy.close)
    world.atEnd(engine.proxy.close)
    const accepting = await world.accept(at)
    let isBroken = true
    await world.work(
      ({ jobId, attempt, payload }) => {
        if (act === 'retry' && isBroken) throw new PosternError('request.body_invalid')
        return Promise.resolve({ result: payload.step, effect: insert(jobId, attempt) })
      },
      { at },
    )
    const proxy: TreacherousProxy = write.on === 'postgres' ? database.proxy : engine.proxy
    let isCommitted = false
    const committed = proxy.arm({ ...write, how }).then(() => {
      isCommitted = true
    })
    await perform(accepting, act, 'first', () => {
      isBroken = false
    })
    await eventually(() => isCommitted)
    await committed
    await invariants(world, 1)
    isBroken = true
    await perform(accepting, act, 'second', () => {
      isBroken = false
    })
    await invariants(world, 2)
  },
  60_000,
)

function insert(jobId: string, attempt: number) {
  return (transaction: TransactionSql) =>
    transaction`insert into test_effect values (${jobId}, ${attempt})`
}

async function proxyTo(url: string) {
  const parsed = new URL(url)
  const proxy = await treacherousProxy(Number(parsed.port))
  parsed.port = String(proxy.port)
  return { proxy, url: parsed.href }
}

/** What a client does that repeats itself until it is answered. */
async function perform(accepting: Accepting, act: Act, key: string, mend: () => void) {
  const one = keyed('a', key)
  const delayed = { ...one, jobs: [newJob('a', { delayMs: 3_600_000 })] }
  const id = await acceptSurely(accepting, act === 'cancel' ? delayed : one)
  if (act === 'cancel') {
    await eventually(() => accepting.jobs.cancel(id, 'any', testCaller).catch(() => undefined))
    return
  }
  const ended = await eventually(
    () => finished(accepting, id, 25_000).catch(() => undefined),
    30_000,
  )
  if (act === 'run') return
  expect(ended.state).toBe('failed')
  mend()
  // A retry whose answer was lost is done: the second is told that there is nothing to retry.
  await eventually(() =>
    accepting.jobs.retry(id, 'any', testCaller).then(
      () => true,
      (error: unknown) => error instanceof PosternError && error.code === 'job.not_retryable',
    ),
  )
  await eventually(async () => {
    const job = await finished(accepting, id, 25_000).catch(() => undefined)
    return job?.state === 'completed'
  }, 30_000)
}

async function acceptSurely(
  accepting: Accepting,
  one: ReturnType<typeof submission>,
): Promise<string> {
  const { receipts } = await eventually(() => accepting.intake.accept(one).catch(() => undefined))
  return receipts[0]?.id ?? ''
}

async function invariants({ sql }: World, jobs: number): Promise<void> {
  const rows = await sql<{ state: string; effects: number }[]>`
    select state, (select count(*)::integer from test_effect e where e.job = j.id) as effects
    from postern_job j`
  expect(rows).toHaveLength(jobs)
  for (const row of rows) {
    expect(['completed', 'cancelled']).toContain(row.state)
    expect(row.effects).toBe(row.state === 'completed' ? 1 : 0)
  }
  const completed = rows.filter((row) => row.state === 'completed').length
  const records = await auditCounts(sql)
  expect(records['job.accepted']).toBe(jobs)
  expect(records['job.completed'] ?? 0).toBe(completed)
  expect(records['job.cancelled'] ?? 0).toBe(jobs - completed)
  // Each retry follows a failure, and none was recorded twice.
  expect(records['job.retried']).toBe(records['job.failed'])
  await eventually(async () => (await sql`select 1 from postern_outbox`).length === 0)
}
