import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

let folder: string
let url: string
let sql: ReturnType<typeof connectPostgres>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-jobs-'))
  url = await (await sharedPostgres()).createDatabase()
  sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 2 })
  await migrate({ sql, queue: 'redis' })
})
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await rm(folder, { recursive: true })
})

const call = (...args: readonly string[]) =>
  runPostern(['jobs', ...args], {
    folder,
    settings: { POSTERN_MODE: 'development', POSTERN_DATABASE_URL: url },
  })

type Given = {
  readonly state: 'accepted' | 'running' | 'completed' | 'failed' | 'cancelled'
  readonly kind?: string
  readonly subject?: string
  readonly acceptedAt?: string
}

/** A job as the gateway and the workers leave it; returns its id. */
async function insert(given: Given): Promise<string> {
  const id = Bun.randomUUIDv7()
  const { state, kind = 'score-wallet', subject = 'desk-a' } = given
  const accepted = new Date(given.acceptedAt ?? '2026-03-01T09:30:00Z')
  const after = (ms: number) => new Date(accepted.getTime() + ms)
  await sql`
    insert into postern_job (id, kind, state, issuer, subject, payload, priority, attempts_max,
      timeout_ms, request_id, accepted_at, started_at, finished_at, problem, fence)
    values (${id}, ${kind}, ${state}, 'https://id.example', ${subject}, '{}', 5, 3, 60000,
      'request-1', ${accepted}, ${state === 'accepted' ? null : after(12)},
      ${state === 'accepted' || state === 'running' ? null : after(352)},
      ${state === 'failed' ? '{"title":"It went wrong"}' : null}::text::jsonb, 1001)`
  return id
}

async function stateOf(id: string): Promise<unknown> {
  const [row] = await sql`select state from postern_job where id = ${id}`
  return row?.['state']
}

/** The records of one target, oldest first. */
async function records(target: string) {
  const rows = await sql<{ type: string; operator: string | null }[]>`
    select body ->> 'type' as type, body #>> '{details,operator}' as operator
    from (select id, convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake) r
    where body ->> 'target' = ${target} order by id`
  return [...rows]
}

const nobody = '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4'

test.each([
  ['an act that is none', ['explode', nobody]],
  ['an id that is none', ['show', 'all']],
  ['no id', ['cancel']],
  ['a kind that is none', ['pause', 'score-wallets']],
  ['a state that is none', ['list', '--state', 'done']],
  ['half a page', ['list', '--limit', '0.5']],
  ['a page past the limit', ['list', '--limit', '201']],
  ['a time that is none', ['list', '--since', 'yesterday']],
  ['a day past the limit', ['list', '--since', '100000d']],
  ['a subject with white space', ['list', '--subject', 'desk a']],
  ['a subject past the limit', ['list', '--subject', 's'.repeat(257)]],
  ['a replay past the limit', ['replay', 'score-wallet', '--limit', '10001']],
  ['a wait past the limit', ['wait', nobody, '--timeout', '86401']],
])('asked with %s it explains its use and exits with 64', async (_name, args) => {
  expect(await call(...args)).toMatchObject({ code: 64, out: '' })
})

test.each(['show', 'wait', 'cancel', 'retry'])(
  '%s of a job that is not there exits 1',
  async (act) => {
    const { code, out, error } = await call(act, nobody)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(error).toStartWith('job.not_found: ')
  },
)

test('without a database it exits with 78', async () => {
  const settings = { POSTERN_MODE: 'development' }
  const { code, error } = await runPostern(['jobs', 'list'], { folder, settings })
  expect(code).toBe(78)
  expect(error).toContain('POSTERN_DATABASE_URL')
})

const page = z.object({ jobs: z.array(z.object({ id: z.string() })), next: z.string().optional() })
const idsOf = (out: string) => page.parse(JSON.parse(out)).jobs.map(({ id }) => id)

test('jobs are listed newest first, by kind, state, subject and time, page by page', async () => {
  const old = await insert({ state: 'completed', acceptedAt: '2026-02-01T00:00:00Z' })
  const failed = await insert({ state: 'failed', subject: 'desk-b' })
  const other = await insert({ state: 'failed', kind: 'score-cohort', subject: 'desk-b' })
  const mine = ['--subject', 'desk-b', '--json']
  expect(idsOf((await call('list', ...mine)).out)).toEqual([other, failed])
  expect(idsOf((await call('list', ...mine, '--kind', 'score-wallet')).out)).toEqual([failed])
  expect(idsOf((await call('list', ...mine, '--state', 'running')).out)).toEqual([])
  const since = await call('list', '--since', '2026-02-15T00:00:00+01:00', '--json')
  expect(idsOf(since.out)).toEqual([other, failed])
  expect(idsOf((await call('list', '--since', '1m', '--json')).out)).toEqual([])
  const first = await call('list', '--limit', '2')
  expect(first.out).toBe(
    [
      `${other}  failed     2026-03-01T09:30:00.000Z  score-cohort  desk-b\n`,
      `${failed}  failed     2026-03-01T09:30:00.000Z  score-wallet  desk-b\n`,
    ].join(''),
  )
  expect(first.error).toBe(`There are more: --before ${failed}\n`)
  const second = await call('list', '--before', failed)
  expect(second).toMatchObject({ code: 0, error: '' })
  expect(second.out).toStartWith(`${old}  completed`)
})

test('a job is shown with its timeline, and nothing of it moves the cursor', async () => {
  const id = await insert({ state: 'failed', subject: 'desk\u001b[2J' })
  const { code, out } = await call('show', id)
  expect(code).toBe(0)
  expect(out).toStartWith(`${id}  score-wallet  failed\n`)
  expect(out).toContain('  accepted  2026-03-01T09:30:00.000Z\n')
  expect(out).toContain('  started   2026-03-01T09:30:00.012Z  12 ms after acceptance\n')
  expect(out).toContain('  finished  2026-03-01T09:30:00.352Z  it ran for 340 ms\n')
  expect(out).toContain('  run       attempt 1 of 3, 60000 ms each, priority 5\n')
  expect(out).toContain('  problem   {"title":"It went wrong"}\n')
  expect(out).not.toContain('\u001b')
  expect(JSON.parse((await call('show', id, '--json')).out)).toMatchObject({ id, state: 'failed' })
})

test('a waiting job is cancelled and accepted again, each with its record', async () => {
  const id = await insert({ state: 'accepted' })
  expect(await call('cancel', id)).toMatchObject({
    ...{ code: 0, out: expect.stringMatching(/^cancelled/), error: '' },
  })
  expect(await stateOf(id)).toBe('cancelled')
  expect(await call('cancel', id)).toMatchObject({ code: 1, out: 'too late: it is cancelled\n' })
  const again = await call('retry', id)
  expect(again).toMatchObject({ code: 0, error: '' })
  expect(again.out).toStartWith(`${id}  accepted `)
  const refused = await call('retry', id)
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.error).toStartWith('job.not_retryable: ')
  const operator = expect.stringMatching(/^\S+ at a terminal$/)
  expect(await records(`job/${id}`)).toEqual([
    { type: 'job.cancelled', operator },
    { type: 'job.retried', operator },
  ])
  const [outbox] =
    await sql`select count(*)::integer as n from postern_outbox where ${id} = any(jobs)`
  expect(outbox?.['n']).toBe(1)
})

test('the failed jobs of a kind are accepted again, oldest first and no more than asked', async () => {
  const kind = 'check-rotation'
  const first = await insert({ state: 'failed', kind })
  const second = await insert({ state: 'failed', kind })
  expect(await call('replay', kind, '--limit', '1')).toMatchObject({ code: 0, out: 'replayed 1\n' })
  expect([await stateOf(first), await stateOf(second)]).toEqual(['accepted', 'failed'])
  const { out } = await call('replay', kind, '--json')
  expect(JSON.parse(out)).toEqual({ kind, replayed: 1 })
})

test('a kind is paused and resumed, under the name of who did it', async () => {
  expect(await call('pause', 'check-drift')).toMatchObject({
    code: 0,
    out: 'check-drift: paused\n',
  })
  const [row] = await sql`select paused_at, paused_by from postern_queue where kind = 'check-drift'`
  expect(row?.['paused_at']).toBeInstanceOf(Date)
  expect(row?.['paused_by']).toMatch(/ at a terminal$/)
  expect(await call('resume', 'check-drift')).toMatchObject({ code: 0 })
  const operator = expect.stringMatching(/ at a terminal$/)
  expect(await records('queue/check-drift')).toEqual([
    { type: 'queue.paused', operator },
    { type: 'queue.resumed', operator },
  ])
})

test.each([
  ['completed', 0],
  ['failed', 1],
  ['cancelled', 1],
] as const)('a wait for a job that is %s ends at once with %d', async (state, code) => {
  const id = await insert({ state })
  expect(await call('wait', id)).toMatchObject({
    ...{ code, out: expect.stringContaining(`  ${state}\n`) },
  })
})

test('a wait ends with 75 when its time is over, and with the end of the job before', async () => {
  const id = await insert({ state: 'running' })
  expect(await call('wait', id, '--timeout', '0')).toMatchObject({ code: 75 })
  const waiting = call('wait', id, '--timeout', '60', '--json')
  await listening()
  await sql`update postern_job set state = 'completed', finished_at = now() where id = ${id}`
  await sql`select pg_notify('postern_finished', ${id})`
  const { code, out } = await waiting
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ id, state: 'completed' })
})

/** Until the command has asked to be told. */
async function listening(): Promise<void> {
  for (;;) {
    const [row] = await sql`select count(*)::integer as n from pg_stat_activity
      where application_name = 'postern jobs' and query ilike 'listen%'`
    if (Number(row?.['n']) > 0) return
  }
}
