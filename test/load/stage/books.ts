import type { Sql } from 'postgres'

/** What Postgres holds once nothing is under way any more. */
export type Books = {
  readonly orders: number
  readonly accepted: number
  readonly denied: number
  /** With at least one fill. */
  readonly filled: number
  /** Of market orders, between their arrival and their last fill; undefined where none was filled. */
  readonly fillMs: { readonly p50: number; readonly p99: number } | undefined
  /** Orders in a state that is no end. */
  readonly open: number
  readonly denials: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, number>>
  /** Orders that a record of their entry names, and those of which one names their end. */
  readonly enteredRecords: number
  readonly endedRecords: number
  readonly jobs: number
  readonly unfinishedJobs: number
  /** Jobs that somebody asked for: those of orders and schedules are Postern's own, without a record each. */
  readonly askedJobs: number
  /** Those that score a wallet. */
  readonly scoreJobs: number
  readonly jobRecords: number
  readonly jobEndRecords: number
  readonly outbox: number
  /** What Postern itself has stopped: a load does nothing that should. */
  readonly stopped: readonly string[]
}

const haltReason = 'the load is over'

type Counted = { readonly name: string; readonly count: number }

const settleMsMax = 120_000

/** Halts trading, which cancels what rests, and waits until every order and job has ended. */
export async function closeBooks(
  sql: Sql,
  operator: { readonly url: string; readonly token: string },
): Promise<Books> {
  await halt(operator)
  const deadline = Date.now() + settleMsMax
  for (;;) {
    const [left] = await sql<{ count: number }[]>`
      select (select count(*) from postern_order where is_open)::integer
        + (select count(*) from postern_job where finished_at is null)::integer
        + (select count(*) from postern_outbox)::integer as count`
    if (left?.count === 0 || Date.now() > deadline) break
    await Bun.sleep(250)
  }
  // Of ended orders the last records are committed with them; the sequencer only moves records on.
  return await readBooks(sql)
}

async function halt({ url, token }: { readonly url: string; readonly token: string }) {
  for (let tries = 0; tries < 50; tries += 1) {
    const answer = await fetch(`${url}/internal/trading/halt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ scope: 'global', reason: haltReason }),
      signal: AbortSignal.timeout(60_000),
    }).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return
    await Bun.sleep(200)
  }
}

async function readBooks(sql: Sql): Promise<Books> {
  const [counts] = await sql<Omit<Books, 'denials' | 'statuses' | 'stopped' | 'fillMs'>[]>`
    with record as materialized (
      select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake
      union all
      select convert_from(body, 'UTF8')::jsonb from postern_audit_entry
    ), audited as materialized (
      select body ->> 'type' as type, body ->> 'target' as target,
        body -> 'details' ->> 'status' as status from record
      -- What a halt refuses is no order, and is told of its account.
      where body ->> 'target' not like 'account/%'
    )
    select
      (select count(*) from postern_order)::integer as orders,
      (select count(*) from postern_order where status <> 'denied')::integer as accepted,
      (select count(*) from postern_order where status = 'denied')::integer as denied,
      (select count(*) from postern_order where cum_quantity > 0)::integer as filled,
      (select count(*) from postern_order where is_open)::integer as open,
      (select count(distinct target) from audited
        where type in ('order.accepted', 'order.held', 'order.denied'))::integer
        as "enteredRecords",
      (select count(distinct target) from audited where type = 'order.denied'
        or (type = 'order.changed' and status = any(${terminal})))::integer as "endedRecords",
      (select count(*) from postern_job)::integer as jobs,
      (select count(*) from postern_job where finished_at is null)::integer as "unfinishedJobs",
      (select count(*) from postern_job where issuer <> 'postern')::integer as "askedJobs",
      (select count(*) from postern_job where kind = 'score-wallet')::integer as "scoreJobs",
      (select count(distinct target) from audited where type = 'job.accepted')::integer
        as "jobRecords",
      (select count(distinct target) from audited where type = any(${jobEnds}))::integer
        as "jobEndRecords",
      (select count(*) from postern_outbox)::integer as outbox`
  if (counts === undefined) throw new Error('Postgres counted nothing')
  const stopped = await sql<{ text: string }[]>`
    select concat_ws(' ', scope, key, state, reason, set_by) as text from postern_trading_state
    where reason <> ${haltReason} order by set_at`
  return {
    ...counts,
    fillMs: await readFillMs(sql),
    stopped: stopped.map(({ text }) => text),
    denials: await grouped(sql<Counted[]>`
      select reject_code as name, count(*)::integer as count from postern_order
      where reject_code is not null group by 1 order by 2 desc`),
    statuses: await grouped(sql<Counted[]>`
      select status as name, count(*)::integer as count from postern_order
      group by 1 order by 2 desc`),
  }
}

/** A market order meets the book that is there: what it waits for is Postern. */
async function readFillMs(sql: Sql): Promise<Books['fillMs']> {
  const [times] = await sql<{ p50: number | null; p99: number | null }[]>`
    select percentile_disc(0.5) within group (order by ms) as p50,
      percentile_disc(0.99) within group (order by ms) as p99
    from postern_order,
      lateral (select (extract(epoch from updated_at - received_at) * 1000)::integer as ms) as open
    where type = 'market' and status = 'filled'`
  const { p50, p99 } = times ?? { p50: null, p99: null }
  return p50 === null || p99 === null ? undefined : { p50, p99 }
}

const terminal = ['filled', 'canceled', 'expired', 'rejected', 'denied', 'replaced']
const jobEnds = ['job.completed', 'job.failed', 'job.cancelled']

async function grouped(rows: PromiseLike<readonly Counted[]>): Promise<Record<string, number>> {
  return Object.fromEntries((await rows).map(({ name, count }) => [name, count]))
}
