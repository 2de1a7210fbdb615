import { z } from 'zod'
import { storedEvent, venueEventSchema } from '../venue/venue-report-json.ts'
import type { VenueReport } from '../venue.ts'
import type { Applied } from './apply-report.ts'
import type { DeskWork } from './desk-transaction.ts'

/** A report that cannot be, as the order stands. */
export type RefusedReport = {
  readonly report: VenueReport
  readonly orderId: string | undefined
  readonly symbol: string | undefined
  readonly code: string
}

type Waiting = RefusedReport & { readonly quarantineId: string | undefined }

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
export async function openQuarantine(
  { desk, transaction, at }: DeskWork,
  reports: readonly VenueReport[],
): Promise<ReportQuarantine> {
  const stored = await readStored({ desk, transaction }, reports)
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
        where id = any(${taken.map(({ quarantineId }) => quarantineId ?? '')}::bigint[])`
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

async function readStored(
  { desk, transaction }: Pick<DeskWork, 'desk' | 'transaction'>,
  reports: readonly VenueReport[],
): Promise<readonly Waiting[]> {
  const ids = reports.flatMap(({ account, clientOrderId }) => {
    const order = desk.orderByClientId(account, clientOrderId)
    return order === undefined ? [] : [order.state.terms]
  })
  if (ids.length === 0) return []
  const symbols = new Map(ids.map(({ id, symbol }) => [id, symbol]))
  const rows = await transaction<
    { quarantineId: string; orderId: string; code: string; report: unknown }[]
  >`
    select id::text as "quarantineId", order_id as "orderId", code, report
    from postern_order_quarantine
    where resolved_at is null and order_id = any(${[...symbols.keys()]}::uuid[])
    order by id limit ${retriesMax}`
  return rows.map(({ report, ...row }) => ({
    ...row,
    symbol: symbols.get(row.orderId),
    report: reportSchema.parse(report),
  }))
}
