import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { storedEvent, venueEventSchema } from '../venue/venue-report-json.ts'
import type { VenueReport } from '../venue.ts'
import type { Applied } from './apply-report.ts'
import type { DeskWork } from './desk-transaction.ts'
import { orderOfClient } from './read-rows.ts'

/** A report that cannot be, as the order stands. */
export type RefusedReport = {
  readonly report: VenueReport
  readonly orderId: string | undefined
  readonly symbol: string | undefined
  readonly code: string
}

export type Waiting = RefusedReport & { readonly quarantineId: string | undefined }

/** What is said once and stays true; a suspension of an hour ago is none. */
const lasting: ReadonlySet<VenueReport['event']['type']> = new Set([
  'trade',
  'trade_cancel',
  'trade_correct',
  'canceled',
  'expired',
  'replaced',
])

/** Reports per order that are tried again; an order that has more is a person's work. */
const retriesMax = 200

export type ReportQuarantine = {
  /** Of the orders that are reported of. */
  readonly stored: readonly RefusedReport[]
  /** One that waits already stays one. */
  add(refused: RefusedReport): void
  /** After an order has moved: until nothing of what waits moves any more. */
  retry(apply: (report: VenueReport) => Applied): void
  /** What this transaction could not apply. */
  added(): readonly RefusedReport[]
  store(): Promise<void>
}

/** A correction may overtake its trade, and a bust what it makes room for: both wait here. */
export function openQuarantine(
  { desk, transaction, at }: DeskWork,
  stored: readonly Waiting[],
): ReportQuarantine {
  let waiting: readonly Waiting[] = stored

  return {
    stored,
    add(refused) {
      if (waiting.some(({ report }) => isSame(report, refused.report))) return
      waiting = [...waiting, { ...refused, quarantineId: undefined }]
    },
    retry(apply) {
      for (let before = -1; waiting.length > 0 && waiting.length !== before; ) {
        before = waiting.length
        waiting = waiting.filter((one) => {
          if (!lasting.has(one.report.event.type)) return true
          return typeof apply(one.report) !== 'string'
        })
      }
    },
    added: () => waiting.filter(({ quarantineId }) => quarantineId === undefined),
    async store() {
      for (const { report, orderId, code, quarantineId } of waiting) {
        if (quarantineId !== undefined) continue
        const { account } = report
        const event = storedEvent(report.event)
        desk.quarantine({ account, orderId, code, report: { ...report, event } })
      }
      const left = new Set(waiting.map(({ quarantineId }) => quarantineId))
      const taken = stored.filter(({ quarantineId }) => !left.has(quarantineId))
      if (taken.length === 0) return
      await transaction`
        update postern_order_quarantine set resolved_at = ${at}
        where id::text = any(${taken.map(({ quarantineId }) => quarantineId ?? '')}::text[])`
    },
  }
}

function isSame(a: VenueReport, b: VenueReport): boolean {
  return a.clientOrderId === b.clientOrderId && Bun.deepEquals(a.event, b.event)
}

const reportSchema = z.object({
  account: z.string(),
  clientOrderId: z.string(),
  event: venueEventSchema,
})

const rowsSchema = z.array(
  z.object({
    quarantineId: z.string(),
    orderId: z.string(),
    symbol: z.string(),
    code: z.string(),
    report: reportSchema,
  }),
)

/** What waits of the orders that are reported of. */
export async function readQuarantine(
  transaction: TransactionSql,
  reports: readonly VenueReport[],
): Promise<readonly Waiting[]> {
  const rows = await transaction`
    select q.id::text as "quarantineId", q.order_id as "orderId", o.symbol, q.code, q.report
    from unnest(${reports.map(({ account }) => account)}::text[],
      ${reports.map(({ clientOrderId }) => clientOrderId)}::text[]) as w(account, client_id)
    cross join lateral (select id, symbol from ${orderOfClient(transaction)}) as o
    join postern_order_quarantine q on q.order_id = o.id and q.resolved_at is null
    group by q.id, o.symbol order by q.id limit ${retriesMax}`
  return rowsSchema.parse(rows)
}
