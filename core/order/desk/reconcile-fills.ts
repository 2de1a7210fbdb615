import type { Sql } from 'postgres'
import { z } from 'zod'
import { exchangeDay } from '../../market/session.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount } from '../amount.ts'
import type { ReconcileAccountResult } from '../kinds.ts'
import type { VenueFill } from '../venue.ts'
import { readFillsCursor } from './read-rows.ts'
import type { Mismatch, Reconciling } from './reconcile.ts'

/** Fills that are compared in one statement. */
const fillsPerPage = 500

export type ReplayedFills = {
  readonly mismatches: readonly Mismatch[]
  readonly replayed: number
  readonly checked: ReconcileAccountResult['checked']
  /** Up to here the venue's fills are here. */
  readonly cursor: string | undefined
}

/** Goes through the venue's fills behind the cursor and replays what is missing here. */
export async function replayFills(context: Reconciling): Promise<ReplayedFills> {
  const { account, venue, desk, day, signal } = context
  const since =
    day === undefined ? await readFillsCursor(desk.sql, account).catch(rethrowAsOutage) : undefined
  const mismatches: Mismatch[] = []
  let replayed = 0
  let checked = 0
  let cursor: string | undefined
  let page: VenueFill[] = []

  async function comparePage(): Promise<void> {
    const fills = day === undefined ? page : page.filter(isOfDay(day))
    checked += fills.length
    const compared = await compareFills(context, fills)
    mismatches.push(...compared.mismatches)
    replayed += compared.replayed
    cursor = page.at(-1)?.cursor ?? cursor
    page = []
  }

  for await (const fill of venue.listFills(account, since)) {
    signal.throwIfAborted()
    page.push(fill)
    if (page.length >= fillsPerPage) await comparePage()
  }
  await comparePage()
  const counts = await countState(desk.sql, account)
  return { mismatches, replayed, cursor, checked: { ...counts, fills: checked } }
}

function isOfDay(day: string): (fill: VenueFill) => boolean {
  return ({ trade }) => exchangeDay(trade.at) === day
}

async function countState(sql: Sql, account: string) {
  const [row] = await sql<{ orders: number; positions: number }[]>`
    select (select count(*)::integer from postern_order where is_open and account = ${account})
        as orders,
      (select count(*)::integer from postern_position where account = ${account}) as positions
  `.catch(rethrowAsOutage)
  return { orders: row?.orders ?? 0, positions: row?.positions ?? 0 }
}

const localSchema = z.array(
  z.object({
    tradeId: z.string(),
    orderId: z.string(),
    quantity: z.string().transform(amountOf),
    price: z.string().transform(amountOf),
  }),
)

async function compareFills(
  { account, venue, desk, reports }: Reconciling,
  fills: readonly VenueFill[],
): Promise<{ readonly mismatches: readonly Mismatch[]; readonly replayed: number }> {
  if (fills.length === 0) return { mismatches: [], replayed: 0 }
  const [rows, known] = await Promise.all([
    desk.sql`
      select trade_id as "tradeId", order_id as "orderId", quantity::text, price::text
      from postern_fill
      where venue = ${venue.name} and trade_id = any(${fills.map((one) => one.trade.tradeId)}::text[])`,
    desk.sql<{ clientOrderId: string }[]>`
      select client_order_id as "clientOrderId" from postern_order
      where account = ${account}
        and client_order_id = any(${fills.map((one) => one.clientOrderId)}::text[])`,
  ]).catch(rethrowAsOutage)
  const local = new Map(localSchema.parse(rows).map((row) => [row.tradeId, row]))
  const ours = new Set(known.map((row) => row.clientOrderId))
  const mismatches: Mismatch[] = []
  let replayed = 0
  for (const fill of fills) {
    const { trade, symbol, clientOrderId } = fill
    const row = local.get(trade.tradeId)
    if (row === undefined) {
      const isOurs = ours.has(clientOrderId)
      const event = { type: 'trade', trade } as const
      if (isOurs) await reports.apply({ account, clientOrderId, event })
      replayed += isOurs ? 1 : 0
      const detail = `fill ${trade.tradeId} of ${clientOrderId}`
      mismatches.push({ class: 'MISSING_LOCAL', symbol, detail, healed: isOurs })
    } else {
      const difference = differenceOf(row, fill)
      if (difference !== undefined) mismatches.push({ ...difference, order_id: row.orderId })
    }
  }
  return { mismatches, replayed }
}

type LocalFill = z.infer<typeof localSchema>[number]

/** A trade that was busted or corrected here differs from its first report on purpose. */
function differenceOf(row: LocalFill, { trade, symbol }: VenueFill): Mismatch | undefined {
  if (row.quantity === 0n) return undefined
  if (row.quantity !== trade.quantity) {
    const detail = `fill ${trade.tradeId}: ${formatAmount(row.quantity)} here, ${formatAmount(trade.quantity)} there`
    return { class: 'QTY_MISMATCH', symbol, detail, healed: false }
  }
  if (row.price === trade.price) return undefined
  const detail = `fill ${trade.tradeId}: at ${formatAmount(row.price)} here, ${formatAmount(trade.price)} there`
  return { class: 'PRICE_MISMATCH', symbol, detail, healed: false }
}
