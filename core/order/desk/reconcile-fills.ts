import { z } from 'zod'
import { exchangeDay } from '../../market/session.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount } from '../amount.ts'
import type { VenueFill } from '../venue.ts'
import type { Mismatch, Reconciling } from './reconcile.ts'

/** Fills that are compared in one statement. */
const fillsPerPage = 500

export type ReplayedFills = {
  readonly mismatches: readonly Mismatch[]
  readonly replayed: number
  readonly checked: number
  /** Up to here the venue's fills are here. */
  readonly cursor: string | undefined
}

/** Goes through the venue's fills behind the cursor and replays what is missing here. */
export async function replayFills(context: Reconciling): Promise<ReplayedFills> {
  const { account, venue, reads, day, signal } = context
  const known = day === undefined ? await reads.account(account).catch(rethrowAsOutage) : undefined
  const since = known?.cursor ?? undefined
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
    // One day's fills say nothing of the others behind the cursor.
    if (day === undefined) cursor = page.at(-1)?.cursor ?? cursor
    page = []
  }

  for await (const fill of venue.listFills(account, since)) {
    signal.throwIfAborted()
    page.push(fill)
    if (page.length >= fillsPerPage) await comparePage()
  }
  await comparePage()
  return { mismatches, replayed, cursor, checked }
}

function isOfDay(day: string): (fill: VenueFill) => boolean {
  return ({ trade }) => exchangeDay(trade.at) === day
}

type Compared = { readonly mismatches: readonly Mismatch[]; readonly replayed: number }

async function compareFills(context: Reconciling, fills: readonly VenueFill[]): Promise<Compared> {
  const { account, reports } = context
  const { local, ours } = await readLocal(context, fills)
  const differing = fills.flatMap((fill) => {
    const row = local.get(fill.trade.tradeId)
    return (row && differenceOf(row, fill)) ?? []
  })
  const missing = fills.filter(({ trade }) => !local.has(trade.tradeId))
  for (const { clientOrderId, trade } of missing) {
    if (!ours.has(clientOrderId) && !(await succeedAwaited(context, clientOrderId))) continue
    await reports.apply({ account, clientOrderId, event: { type: 'trade', trade } })
  }
  // What could not be, such as more than was ordered, stands in quarantine instead.
  const { local: taken } = await readLocal(context, missing)
  const mismatches = missing.map(({ trade, symbol, clientOrderId }): Mismatch => {
    const detail = `fill ${trade.tradeId} of ${clientOrderId}`
    return { class: 'MISSING_LOCAL', symbol, detail, healed: taken.has(trade.tradeId) }
  })
  return { mismatches: [...differing, ...mismatches], replayed: taken.size }
}

/** True when it was a successor whose replacement nobody here has heard of: it is ours from now on. */
async function succeedAwaited(context: Reconciling, successor: string): Promise<boolean> {
  const { account, venue, desk, reports } = context
  const [row] = await desk.sql<{ clientOrderId: string }[]>`
    select client_order_id as "clientOrderId" from postern_order
    where is_open and account = ${account} and status = 'pending_replace'
      and replacement ->> 'successor' = ${successor}`.catch(rethrowAsOutage)
  const view = row && (await venue.findByClientOrderId(account, successor))
  if (row === undefined || view === undefined) return false
  const { venueOrderId } = view
  const event = { type: 'replaced', successorClientOrderId: successor, venueOrderId } as const
  await reports.apply({ account, clientOrderId: row.clientOrderId, event })
  return true
}

const localSchema = z.array(
  z.object({
    tradeId: z.string(),
    orderId: z.string(),
    quantity: z.string().transform(amountOf),
    price: z.string().transform(amountOf),
  }),
)
type LocalFill = z.infer<typeof localSchema>[number]

/** Those of the fills that are here, and the client order ids that are ours. */
async function readLocal({ account, venue, desk }: Reconciling, fills: readonly VenueFill[]) {
  if (fills.length === 0) return { local: new Map<string, LocalFill>(), ours: new Set<string>() }
  const [rows, known] = await Promise.all([
    desk.sql`
      select trade_id as "tradeId", order_id as "orderId", quantity::text, price::text
      from postern_fill
      where venue = ${venue.name} and trade_id = any(${fills.map((one) => one.trade.tradeId)}::text[])`,
    desk.sql<{ clientOrderId: string }[]>`
      select client_order_id as "clientOrderId" from postern_order
      where account is not distinct from ${account}
        and client_order_id = any(${fills.map((one) => one.clientOrderId)}::text[])`,
  ]).catch(rethrowAsOutage)
  return {
    local: new Map(localSchema.parse(rows).map((row) => [row.tradeId, row])),
    ours: new Set(known.map((row) => row.clientOrderId)),
  }
}

/** A trade that was busted or corrected here differs from its first report on purpose. */
function differenceOf(row: LocalFill, { trade, symbol }: VenueFill): Mismatch | undefined {
  if (row.quantity === 0n) return undefined
  const base = { symbol, order_id: row.orderId, healed: false }
  if (row.quantity !== trade.quantity) {
    const detail = `fill ${trade.tradeId}: ${formatAmount(row.quantity)} here, ${formatAmount(trade.quantity)} there`
    return { ...base, class: 'QTY_MISMATCH', detail }
  }
  if (row.price === trade.price) return undefined
  const detail = `fill ${trade.tradeId}: at ${formatAmount(row.price)} here, ${formatAmount(trade.price)} there`
  return { ...base, class: 'PRICE_MISMATCH', detail }
}
