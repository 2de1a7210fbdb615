import type { Sql } from 'postgres'
import type { History } from './history.ts'
import type { Stage } from './stage.ts'

/** Milliseconds in which everything has ended and is in the log, once the load is over. */
const settleMsMax = 40_000
/** An incident is closed ten seconds after all is well. */
const closeMsMax = 20_000
const lookMs = 200

/** What is not as promised; empty when all is. */
export async function judge(stage: Stage, history: History): Promise<readonly string[]> {
  await stage.postern.isBack()
  const late = await settle(stage.sql)
  const found = await Promise.all([
    late,
    history.strange.map((answer) => `strange answer: ${answer}`),
    jobsEndOnce(stage.sql, history),
    ordersOnce(stage.sql, history),
    booksAgree(stage.sql),
    isRecorded(stage.sql, history),
    deadStaysDead(history),
    logVerifies(stage),
    incidentsClose(stage.sql),
  ])
  return found.flat()
}

async function settle(sql: Sql): Promise<readonly string[]> {
  const giveUpAt = performance.now() + settleMsMax
  for (;;) {
    const [open] = await sql<{ jobs: number; outbox: number; waiting: number; orders: number }[]>`
      select
        (select count(*)::integer from postern_job
          where finished_at is null and kind = 'score-wallet') as jobs,
        (select count(*)::integer from postern_outbox) as outbox,
        (select count(*)::integer from postern_audit_intake i
          where not exists (select from postern_audit_entry e where e.rec = i.rec)) as waiting,
        (select count(*)::integer from postern_order
          where status in ('received', 'accepted', 'pending_new')) as orders`
    if (open === undefined) return ['Postgres counted nothing']
    const left = Object.entries(open).filter(([, count]) => count > 0)
    if (left.length === 0) return []
    if (performance.now() > giveUpAt) return left.map(([what, count]) => `${count} ${what} left`)
    await Bun.sleep(lookMs)
  }
}

/** One job for a key, whatever its callers saw; ended, with one outcome in the log. */
async function jobsEndOnce(sql: Sql, { jobs }: History): Promise<readonly string[]> {
  const rows = await sql<{ key: string; id: string; state: string; outcomes: number }[]>`
    with ended as materialized (
      select convert_from(e.body, 'UTF8')::jsonb ->> 'target' as target, count(*)::integer as outcomes
      from postern_audit_entry e
      where e.type in ('job.completed', 'job.failed', 'job.cancelled') group by 1
    )
    select k.key, j.id, j.state, coalesce(e.outcomes, 0) as outcomes
    from postern_idempotency k, lateral jsonb_array_elements(k.response) r
    join postern_job j on j.id = (r ->> 'id')::uuid
    left join ended e on e.target = 'job/' || j.id
    where k.key = any(${[...jobs.keys()]})`
  const stored = Map.groupBy(rows, ({ key }) => key)
  return [...jobs].flatMap(([key, ids]) => {
    const found = stored.get(key) ?? []
    const known = new Set(found.map(({ id }) => id))
    return [
      ...(ids.size > 1 ? [`key ${key} was answered with ${ids.size} ids`] : []),
      ...(found.length > 1 ? [`key ${key} has ${found.length} jobs`] : []),
      ...[...ids].filter((id) => !known.has(id)).map((id) => `accepted job ${id} is gone`),
      ...found.flatMap(({ id, state, outcomes }) => [
        ...(['completed', 'cancelled'].includes(state) ? [] : [`job ${id} is ${state}`]),
        ...(outcomes === 1 ? [] : [`job ${id} has ${outcomes} outcomes in the log`]),
      ]),
    ]
  })
}

/** One order for a key, and at the venue one at the most. */
async function ordersOnce(sql: Sql, { orders }: History): Promise<readonly string[]> {
  const rows = await sql<{ key: string; id: string }[]>`
    select client_order_id as key, id from postern_order
    where client_order_id = any(${[...orders.keys()]})`
  const [venue] = await sql<{ orders: number }[]>`
    select count(*)::integer as orders from postern_paper_order`
  const stored = Map.groupBy(rows, ({ key }) => key)
  const lost = [...orders].flatMap(([key, ids]) => {
    const found = stored.get(key) ?? []
    const known = new Set(found.map(({ id }) => id))
    return [
      ...(found.length > 1 ? [`order ${key} exists ${found.length} times`] : []),
      ...[...ids].filter((id) => !known.has(id)).map((id) => `acknowledged order ${id} is gone`),
    ]
  })
  const sent = venue?.orders ?? 0
  return sent <= rows.length ? lost : [...lost, `${sent} orders at the venue for ${rows.length}`]
}

/** What is held is the sum of what was traded. */
async function booksAgree(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ symbol: string; held: string; traded: string }[]>`
    with traded as (
      select account, symbol, sum(case side when 'buy' then quantity else -quantity end) as quantity
      from postern_fill group by account, symbol)
    select coalesce(p.symbol, t.symbol) as symbol,
      coalesce(p.quantity, 0)::text as held, coalesce(t.quantity, 0)::text as traded
    from postern_position p full join traded t using (account, symbol)
    where coalesce(p.quantity, 0) is distinct from coalesce(t.quantity, 0)`
  return rows.map(({ symbol, held, traded }) => `${symbol}: holds ${held}, traded ${traded}`)
}

/** What was acknowledged has a record of its request. */
async function isRecorded(sql: Sql, { acknowledged }: History): Promise<readonly string[]> {
  const own = acknowledged.filter(({ isReplayed }) => !isReplayed)
  const ids = own.flatMap(({ requestId }) => requestId ?? [])
  const rows = await sql<{ id: string }[]>`
    select asked.id from unnest(${ids}::text[]) as asked(id)
    where not exists (select from postern_audit_entry e where e.request_id = asked.id)`
  return rows.slice(0, 5).map(({ id }) => `request ${id} left no record`)
}

/** Each victim's token is dead in the end, was tried since, and nobody was let in with it. */
function deadStaysDead({ thefts, deadSince }: History): readonly string[] {
  return [...thefts].flatMap(([tokenId, uses]) => {
    const sinceMs = deadSince.get(tokenId)
    if (sinceMs === undefined) return [`token ${tokenId} is not dead`]
    const tries = uses.filter(({ startedMs }) => startedMs > sinceMs)
    const passed = tries.filter(({ status }) => status === 200)
    return [
      ...(tries.length === 0 ? [`revoked token ${tokenId} was not tried`] : []),
      ...(passed.length > 0 ? [`revoked token ${tokenId} passed ${passed.length} times`] : []),
    ]
  })
}

/** What was noticed, and by its own account is over. */
export async function incidentsOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ told: string }[]>`
    select class || ' ' || round(extract(epoch from recovered_at - started_at), 1) || ' s' as told
    from postern_incident order by id`
  return rows.map(({ told }) => told)
}

async function incidentsClose(sql: Sql): Promise<readonly string[]> {
  const giveUpAt = performance.now() + closeMsMax
  for (;;) {
    const open = await sql<{ class: string }[]>`
      select class from postern_incident where recovered_at is null`
    if (open.length === 0) return []
    if (performance.now() > giveUpAt) return open.map((one) => `incident ${one.class} stays open`)
    await Bun.sleep(lookMs)
  }
}

/** As anybody would, offline. */
async function logVerifies({ postern, log }: Stage): Promise<readonly string[]> {
  const args = ['audit', 'verify', '--log', log.folder, '--vkey', log.verifierKey]
  const { code, out } = await postern.command(args)
  return code === 0 ? [] : [`audit verify ended with ${code}: ${out.slice(0, 400)}`]
}
