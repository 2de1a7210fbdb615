import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import {
  type Answered,
  type Asked,
  type ClosedStage,
  openClosedStage,
  scoreRequest,
  tradeLine,
} from './closed-stage.ts'
import { eventually } from './world.ts'

setDefaultTimeout(60_000)

/** How long a record may take (250 ms), and room for a machine that runs everything at once. */
const deadlineMsMax = 2_500

let stage: ClosedStage
let job: { readonly open: string; readonly cancelled: string; readonly failed: string }

beforeAll(async () => {
  stage = await openClosedStage()
  job = {
    open: await stage.enqueue(),
    cancelled: await stage.enqueue(),
    failed: await stage.enqueue(),
  }
  await stage.ask({ method: 'DELETE', path: `/v1/jobs/${job.cancelled}` })
  await stage.ask({ path: '/internal/queues/score-cohort/pause' })
  // One request a subject may make: the next is refused.
  await stage.ask({ method: 'GET', path: '/v1/kinds', as: 'limited' })
  await stage.sql`
    update postern_job set state = 'failed', finished_at = now() where id = ${job.failed}`
})
afterAll(() => stage[Symbol.asyncDispose]())

type Act = Asked & { readonly name: string }

/** Acts that share a transaction with their records. */
function changes(): readonly Act[] {
  const queue = '/internal/queues'
  return [
    { name: 'enqueue', path: '/v1/jobs/score-wallet', body: scoreRequest() },
    { name: 'batch', path: '/v1/jobs', body: [{ kind: 'score-wallet', ...scoreRequest() }] },
    { name: 'cancel', method: 'DELETE', path: `/v1/jobs/${job.open}` },
    { name: 'retry', path: `/v1/jobs/${job.cancelled}/retry` },
    { name: 'pause', path: `${queue}/score-wallet/pause` },
    { name: 'resume', path: `${queue}/score-cohort/resume` },
    { name: 'drain', path: `${queue}/score-wallet/drain` },
    { name: 'replay', path: `${queue}/score-wallet/replay` },
    { name: 'replay of one', path: `${queue}/score-wallet/failed/${job.failed}/replay` },
    { name: 'trades', path: '/v1/trades', lines: [tradeLine()] },
  ]
}

let addressNext = 1

/** Each from an address of its own, so that none is counted into a record of an earlier test. */
function refusals(): readonly Act[] {
  const from = `10.0.0.${addressNext}`
  const outside = `192.0.2.${addressNext++}`
  const to = { method: 'GET', path: '/v1/kinds' } as const
  return [
    { name: 'no token', ...to, from, as: 'nobody' },
    { name: 'no scope', ...to, from, as: 'bare' },
    { name: 'no address', ...to, from: outside },
    { name: 'too many', ...to, from, as: 'limited' },
  ]
}

const reads: readonly Act[] = [
  { name: 'entries', method: 'GET', path: '/internal/audit/entries' },
  {
    name: 'receipt',
    method: 'GET',
    path: `/internal/audit/records/${Bun.randomUUIDv7()}/receipt`,
  },
  { name: 'bundle', method: 'GET', path: '/internal/audit/tile/entries/000.p/1' },
]

async function askAll(acts: readonly Act[]): Promise<Record<string, Answered>> {
  const answers = await Promise.all(acts.map(async (act) => [act.name, await stage.ask(act)]))
  return Object.fromEntries(answers)
}

/** Everything that an act would change. */
async function state() {
  const { sql } = stage
  const [jobs, queues, counts] = await Promise.all([
    sql`select id, state, dispatch, fence, finished_at from postern_job order by id`,
    sql`select kind, paused_at from postern_queue order by kind`,
    sql`select (select count(*) from postern_trade) as trades,
      (select count(*) from postern_idempotency) as keys,
      (select count(*) from postern_revocation) as revocations`,
  ])
  return { jobs: [...jobs], queues: [...queues], counts: [...counts] }
}

/** One way in which Postgres cannot or will not hold a record. */
type Break = { readonly begin: string; readonly end: string }

const onInsert = (timing: string, body: string): Break => ({
  begin: `
    create function test_break() returns trigger language plpgsql as $$ begin ${body} end $$;
    create trigger test_break before insert on postern_audit_intake
      for each ${timing} execute function test_break()`,
  end: 'drop function test_break() cascade',
})

const breaks: readonly (readonly [string, Break])[] = [
  [
    'has no room',
    onInsert('row', "raise exception 'could not extend file' using errcode = '53100';"),
  ],
  ['raises an error', onInsert('statement', "raise exception 'no';")],
  ['discards rows silently', onInsert('row', 'return null;')],
  [
    'discards inserts by a rule',
    {
      begin: 'create rule test_break as on insert to postern_audit_intake do instead nothing',
      end: 'drop rule test_break on postern_audit_intake',
    },
  ],
  [
    'is closed to the gateway',
    {
      begin: 'revoke insert on postern_audit_intake from postern_gateway',
      end: 'grant insert on postern_audit_intake to postern_gateway',
    },
  ],
  [
    'is gone',
    {
      begin: 'alter table postern_audit_intake rename to test_break',
      end: 'alter table test_break rename to postern_audit_intake',
    },
  ],
  [
    'is frozen',
    {
      begin: 'update postern_audit_head set frozen_at = now()',
      end: 'update postern_audit_head set frozen_at = null',
    },
  ],
]

const closed = { status: 503, code: 'audit.unavailable', retryAfter: '1' }

async function withBroken<Result>({ begin, end }: Break, run: () => Promise<Result>) {
  await stage.sql.unsafe(begin)
  try {
    return await run()
  } finally {
    await stage.sql.unsafe(end)
  }
}

/** Three of each: those that follow the first must not pass where the first was not recorded. */
function repeatedRefusals(): readonly Act[] {
  const acts = refusals()
  return [1, 2, 3].flatMap((time) => acts.map((act) => ({ ...act, name: `${act.name} ${time}` })))
}

test.each(breaks)(
  'an intake that %s: every act and refusal is answered 503, and nothing is done',
  async (_name, broken) => {
    const before = await state()
    await withBroken(broken, async () => {
      const answers = await askAll([...changes(), ...repeatedRefusals(), ...reads])
      for (const [name, answer] of Object.entries(answers)) {
        expect({ name, ...answer }).toMatchObject({ name, ...closed })
      }
    })
    expect(await state()).toEqual(before)
  },
)

const revoke = ['revoke', '--issuer', 'https://id.example', '--jti', 'x', '--reason', 'leaked']

test('a revocation that cannot be recorded is not done, and the command says why', async () => {
  const before = await state()
  for (const [name, broken] of breaks) {
    // It runs under the login of the operator, not the gateway's.
    if (name === 'is closed to the gateway') continue
    await withBroken(broken, async () => {
      const { code, error } = await stage.postern(...revoke)
      expect({ name, code, error }).toMatchObject({ name, code: 1 })
      expect(error).toContain('audit.unavailable')
    })
  }
  expect(await state()).toEqual(before)
})

test('an intake that is slow: what waits for its record is refused in time, the rest is whole', async () => {
  await withBroken(onInsert('statement', 'perform pg_sleep(4); return null;'), async () => {
    const late = await askAll([...repeatedRefusals(), ...reads])
    for (const [name, answer] of Object.entries(late)) {
      expect({ name, ...answer }).toMatchObject({ name, ...closed })
      expect(answer.ms).toBeLessThan(deadlineMsMax)
    }
    // The others would race for the same jobs.
    const apart = changes().filter(({ name }) => name !== 'drain' && name !== 'replay')
    const changed = await askAll(apart)
    for (const { status } of Object.values(changed)) expect([200, 202, 503]).toContain(status)
  })
  expect(await halves()).toEqual([])
})

/** Changes without their record, and records without their change. */
async function halves() {
  return [
    ...(await stage.sql`
      with record as (
        select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake
      ), told as (
        select body ->> 'type' as type, body ->> 'target' as target from record
      ), known as (
        select 'job.accepted' as type, 'job/' || id as target from postern_job
        union all
        select 'trades.ingested', 'trades/' || ingest from (
          select distinct ingest from postern_trade) t
        union all
        select 'job.cancelled', 'job/' || id from postern_job where state = 'cancelled'
        union all
        select 'job.retried', 'job/' || id from postern_job where dispatch > 1
        union all
        select 'queue.paused', 'queue/' || kind from postern_queue where paused_at is not null
        union all
        select 'token.revoked', 'revocation/' || class from postern_revocation
      )
      (select * from known except select * from told)
      union all
      (select * from told where type in ('job.accepted', 'trades.ingested')
        except select * from known)`),
  ]
}

const healthy: Readonly<Record<string, number>> = {
  ...{ enqueue: 202, batch: 202, trades: 200, pause: 200, resume: 200, drain: 200 },
  ...{ 'no token': 401, 'no scope': 403, 'no address': 403, 'too many': 429 },
  ...{ entries: 200, receipt: 404, bundle: 404 },
}

test('the same acts are done, and the same callers refused, once the intake is well again', async () => {
  const acts = [...changes(), ...refusals(), ...reads].filter(({ name }) => name in healthy)
  const answers: Record<string, Answered> = {}
  for (const act of acts) {
    // A record that is late for once is asked for again.
    answers[act.name] = await eventually(async () => {
      const answer = await stage.ask(act)
      return answer.status === 503 ? undefined : answer
    })
  }
  const statuses = Object.entries(answers).map(([name, { status }]) => [name, status])
  expect(Object.fromEntries(statuses)).toEqual(healthy)
  expect(answers['receipt']?.code).toBe('audit.not_found')
  expect((await stage.postern(...revoke)).code).toBe(0)
  expect(await halves()).toEqual([])
})

test.each(['subject', 'type', 'requestId'])('a NUL in the filter %s is refused', async (name) => {
  const path = `/internal/audit/entries?${name}=a%00b`
  expect(await stage.ask({ method: 'GET', path })).toMatchObject({
    ...{ status: 400, code: 'request.query_invalid' },
  })
})

test('with Postgres down every act and refusal is answered 503, and nothing is done', async () => {
  const before = await state()
  await stage.server.stop('fast')
  const answers = await askAll([...changes(), ...repeatedRefusals(), ...reads])
  for (const [name, { status, code = '', retryAfter }] of Object.entries(answers)) {
    expect({ name, status, retryAfter }).toEqual({ name, status: 503, retryAfter: '1' })
    expect(['audit.unavailable', 'database.unavailable']).toContain(code)
  }
  const { code, error } = await stage.postern(...revoke)
  expect(code).toBe(1)
  expect(error).toMatch(/^(?:audit|database)\.unavailable/m)
  await stage.server.start()
  expect(await eventually(() => state().catch(() => undefined))).toEqual(before)
  await eventually(stage.isReady, 20_000)
  expect(await eventually(() => stage.enqueue().catch(() => undefined))).toBeString()
})
