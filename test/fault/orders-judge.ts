import type { Sql } from 'postgres'
import { z } from 'zod'
import { faultsOfHoldings, faultsOfOrders } from './orders-books.ts'
import type { AnsweredOrder } from './orders-load.ts'
import { judgeMoney } from './orders-money.ts'
import type { Tally } from './orders-tally.ts'

export type Judged = {
  readonly sql: Sql
  readonly tally: Tally
  readonly answered: ReadonlyMap<string, AnsweredOrder>
  /** Ids of orders that were sent unasked while the venue had them. */
  readonly resent: readonly string[]
}

/** Everything, once nothing moves any more. */
export async function judge({ sql, tally, answered, resent }: Judged): Promise<void> {
  await sql.begin('isolation level repeatable read read only', async (snapshot) => {
    const ids = await snapshot<{ id: string }[]>`select id from postern_order order by id`
    const faults = [
      ...(await faultsOfOrders(
        snapshot,
        ids.map(({ id }) => id),
      )),
      ...(await faultsOfHoldings(snapshot)),
    ]
    for (const fault of faults) tally.problem(fault)
  })
  await judgeAnswers(sql, tally, answered)
  await judgeVenueOrders(sql, tally)
  await judgeMoney(sql, tally)
  await judgeRecords(sql, tally)
  await judgeQuarantine(sql, tally)
  await judgeResent(sql, tally, resent)
}

/** Named with all that happened to them: that is what one would ask next. */
async function judgeResent(sql: Sql, tally: Tally, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const rows = await sql<{ event: string; at: Date }[]>`
      select event::text, at from postern_order_event where order_id = ${id} order by seq`
    const events = rows.map(({ event, at }) => `${at.toISOString()} ${event}`).join(', ')
    tally.problem(`${id}: sent unasked while the venue had it: ${events}`)
  }
}

async function judgeAnswers(
  sql: Sql,
  tally: Tally,
  answered: ReadonlyMap<string, AnsweredOrder>,
): Promise<void> {
  const rows = await sql<{ id: string; clientOrderId: string; replaces: string | null }[]>`
    select id, client_order_id as "clientOrderId", replaces from postern_order`
  const stored = new Map(rows.map((row) => [row.id, row]))
  for (const { id, client_order_id } of answered.values()) {
    if (stored.get(id)?.clientOrderId !== client_order_id) tally.problem(`${id}: accepted and lost`)
  }
  for (const { id, replaces } of rows) {
    const isAsked = replaces === null ? answered.has(id) : stored.has(replaces)
    if (!isAsked) tally.problem(`${id}: nobody has asked for it`)
  }
  const statuses = await sql<{ status: string; count: number }[]>`
    select status, count(*)::integer as count from postern_order group by 1`
  for (const { status, count } of statuses) tally.count(`order ${status}`, count)
  tally.count('successors', rows.filter(({ replaces }) => replaces !== null).length)
}

const pairSchema = z.object({
  id: z.string().nullable(),
  status: z.string().nullable(),
  isSent: z.boolean(),
  venueOrderId: z.string().nullable(),
  cum: z.string().nullable(),
  there: z.string().nullable(),
  thereClientOrderId: z.string().nullable(),
  thereStatus: z.string().nullable(),
  thereCum: z.string().nullable(),
})
type Pair = z.infer<typeof pairSchema>

/** One venue order for each order that was sent, in the same state, and no other. */
async function judgeVenueOrders(sql: Sql, tally: Tally): Promise<void> {
  const rows = await sql`
    select o.id, o.status, coalesce(o.attempts > 0 or o.venue_order_id is not null, false)
        as "isSent",
      o.venue_order_id as "venueOrderId", o.cum_quantity::text as cum,
      p.venue_order_id::text as there, p.client_order_id as "thereClientOrderId",
      p.status as "thereStatus", p.cum::numeric(18, 9)::text as "thereCum"
    from postern_order o
    full join postern_paper_order p
      on p.account = o.account and p.client_order_id = o.client_order_id`
  for (const pair of z.array(pairSchema).parse(rows)) {
    if (pair.isSent) tally.count('orders sent')
    if (pair.there !== null) tally.count('venue orders')
    const fault = pairFault(pair)
    if (fault !== undefined) tally.problem(`${pair.id ?? pair.thereClientOrderId}: ${fault}`)
  }
  const [doubled] = await sql<{ count: number }[]>`
    select count(*)::integer as count from (
      select venue_order_id from postern_order where venue_order_id is not null
      group by 1 having count(*) > 1) as twice`
  if (doubled?.count !== 0) tally.problem(`${doubled?.count} venue orders of two orders`)
}

function pairFault(pair: Pair): string | undefined {
  if (pair.id === null) return 'an order at the venue that is none of ours'
  if (!pair.isSent) return pair.there === null ? undefined : 'at the venue, and never sent'
  if (pair.there === null) return `${pair.status}, sent, and not at the venue`
  if (pair.venueOrderId !== pair.there) return `${pair.there} there, ${pair.venueOrderId} here`
  if (pair.cum !== pair.thereCum) return `filled ${pair.thereCum} there, ${pair.cum} here`
  return pair.status === pair.thereStatus
    ? undefined
    : `${pair.thereStatus} there, ${pair.status} here`
}

/** One record of each order's entry, under the order's id. */
async function judgeRecords(sql: Sql, tally: Tally): Promise<void> {
  const rows = await sql<{ id: string; count: number }[]>`
    select o.id, count(a.rec)::integer as count
    from postern_order o left join postern_audit_intake a on a.rec = o.id
    where o.replaces is null group by 1 having count(a.rec) <> 1`
  for (const { id, count } of rows) tally.problem(`${id}: ${count} records of its entry`)
  const [healed] = await sql<{ replayed: number; healed: number; open: number }[]>`
    with told as (
      select convert_from(body, 'UTF8')::jsonb -> 'details' as details from postern_audit_intake
      where convert_from(body, 'UTF8')::jsonb ->> 'type' = 'account.reconciled'
    ), one as (
      select m -> 'healed' = 'true' as healed
      from told, jsonb_array_elements(details -> 'mismatches') as m
    )
    select (select coalesce(sum((details -> 'replayed')::integer), 0)::integer from told)
        as replayed,
      (select count(*) filter (where healed)::integer from one) as healed,
      (select count(*) filter (where not healed)::integer from one) as open`
  tally.count('fills replayed', healed?.replayed ?? 0)
  tally.count('mismatches healed', healed?.healed ?? 0)
  tally.count('mismatches left', healed?.open ?? 0)
  const frozen = await sql<{ key: string; reason: string }[]>`
    select key, reason from postern_trading_state where scope = 'symbol' and state <> 'ACTIVE'`
  for (const { key, reason } of frozen) tally.problem(`${key} was frozen: ${reason}`)
}

/** A report that told the truth has found its place by now. */
async function judgeQuarantine(sql: Sql, tally: Tally): Promise<void> {
  const rows = await sql<{ id: string; code: string; type: string; isLeft: boolean }[]>`
    select coalesce(order_id::text, report ->> 'clientOrderId') as id, code,
      report -> 'event' ->> 'type' as type, resolved_at is null as "isLeft"
    from postern_order_quarantine`
  tally.count('quarantined', rows.length)
  for (const { id, code, type, isLeft } of rows) {
    tally.count(`quarantined ${type} ${code}`)
    if (isLeft) tally.problem(`${id}: ${type} left in quarantine as ${code}`)
  }
}
