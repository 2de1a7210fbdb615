import type { Sql } from 'postgres'
import { z } from 'zod'
import { amountOf, moneyOf } from '#core/order/amount.ts'
import { positionKey } from '#core/order/desk/desk-view.ts'
import { sides } from '#core/order/order.ts'
import { applyFill, cashEffect, type Fill, flat, type Position } from '#core/order/position.ts'
import { venueEventSchema } from '#core/order/venue/venue-report-json.ts'
import type { Tally } from './orders-tally.ts'

const reportSchema = z.object({
  account: z.string(),
  orderId: z.string().nullable(),
  symbol: z.string(),
  side: z.enum(sides),
  body: z.unknown().transform((body) => venueEventSchema.parse(body)),
})

type VenueTrade = Fill & {
  readonly tradeId: string
  readonly account: string
  readonly symbol: string
  readonly orderId: string | null
  readonly at: number
}

/** Fills, cash and positions of the desk against what the venue itself has reported. */
export async function judgeMoney(sql: Sql, tally: Tally): Promise<void> {
  const theirs = await readVenueTrades(sql)
  const ours = await readFills(sql)
  tally.count('fills', ours.length)
  tally.count('trades of the venue', theirs.length)
  judgeFills(tally, theirs, ours)
  const byId = new Map(theirs.map((trade) => [trade.tradeId, trade]))
  // By average cost, what is realised depends on the order in which fills were booked.
  const booked = ours.flatMap(({ tradeId }) => byId.get(tradeId) ?? [])
  await judgeCash(sql, tally, theirs)
  await judgePositions(sql, tally, { theirs, booked })
}

async function readVenueTrades(sql: Sql): Promise<readonly VenueTrade[]> {
  const rows = await sql`
    select r.account, p.symbol, p.side, o.id as "orderId", r.body
    from postern_paper_report r
    join postern_paper_order p using (account, client_order_id)
    left join postern_order o using (account, client_order_id)
    where r.body ->> 'type' = 'trade' order by r.id`
  return z
    .array(reportSchema)
    .parse(rows)
    .flatMap(({ body, ...order }) => (body.type === 'trade' ? [{ ...order, ...body.trade }] : []))
}

const fillSchema = z.object({
  tradeId: z.string(),
  orderId: z.string(),
  account: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  quantity: z.string().transform(amountOf),
  price: z.string().transform(amountOf),
  fee: z.string().transform(moneyOf),
  at: z.date().transform((at) => at.getTime()),
})

async function readFills(sql: Sql): Promise<readonly VenueTrade[]> {
  const rows = await sql`
    select trade_id as "tradeId", order_id as "orderId", account, symbol, side, quantity::text,
      price::text, fee::text, at
    from postern_fill order by position`
  return z.array(fillSchema).parse(rows)
}

function judgeFills(
  tally: Tally,
  theirs: readonly VenueTrade[],
  ours: readonly VenueTrade[],
): void {
  const stored = new Map(ours.map((fill) => [fill.tradeId, fill]))
  for (const trade of theirs) {
    const fill = stored.get(trade.tradeId)
    if (fill === undefined) tally.problem(`${trade.orderId}: trade ${trade.tradeId} is missing`)
    else if (!Bun.deepEquals(fill, trade)) tally.problem(`${fill.orderId}: ${fill.tradeId} differs`)
    stored.delete(trade.tradeId)
  }
  for (const { tradeId, orderId } of stored.values()) {
    tally.problem(`${orderId}: fill ${tradeId}, of which the venue knows nothing`)
  }
}

async function judgeCash(sql: Sql, tally: Tally, theirs: readonly VenueTrade[]): Promise<void> {
  const rows = await sql<{ id: string; startingCash: string; cash: string }[]>`
    select id, starting_cash::text as "startingCash", cash::text from postern_account`
  for (const { id, startingCash, cash } of rows) {
    const expected = theirs
      .filter(({ account }) => account === id)
      .reduce((sum, trade) => sum + cashEffect(trade), moneyOf(startingCash))
    if (expected === moneyOf(cash)) continue
    tally.problem(`account ${id}: cash ${moneyOf(cash)}, by its fills ${expected}`)
  }
}

const positionSchema = z.object({
  account: z.string(),
  symbol: z.string(),
  quantity: z.string().transform(amountOf),
  cost: z.string().transform(moneyOf),
  realised: z.string().transform(moneyOf),
  fees: z.string().transform(moneyOf),
})

async function judgePositions(
  sql: Sql,
  tally: Tally,
  { theirs, booked }: Readonly<Record<'theirs' | 'booked', readonly VenueTrade[]>>,
): Promise<void> {
  const rows = await sql`
    select account, symbol, quantity::text, cost::text, realised::text, fees::text
    from postern_position`
  const stored = new Map(
    z
      .array(positionSchema)
      .parse(rows)
      .map(({ account, symbol, ...position }) => [positionKey(account, symbol), position]),
  )
  const [byVenue, byDesk] = [foldTrades(theirs), foldTrades(booked)]
  for (const key of new Set([...stored.keys(), ...byVenue.keys()])) {
    const [held, venue, desk] = [stored.get(key) ?? flat, byVenue.get(key), byDesk.get(key)]
    if (!Bun.deepEquals(held, desk ?? flat)) {
      tally.problem(`position ${key}: ${shown(held)}, by its fills ${shown(desk ?? flat)}`)
    }
    if (!isSameInAnyOrder(held, venue ?? flat)) {
      tally.problem(`position ${key}: ${shown(held)}, by the venue ${shown(venue ?? flat)}`)
    }
  }
}

function foldTrades(trades: readonly VenueTrade[]): ReadonlyMap<string, Position> {
  const positions = new Map<string, Position>()
  for (const trade of trades) {
    const key = positionKey(trade.account, trade.symbol)
    positions.set(key, applyFill(positions.get(key) ?? flat, trade))
  }
  return positions
}

/** What was paid is the same in any order; what of it is realised is not. */
function isSameInAnyOrder(left: Position, right: Position): boolean {
  return (
    left.quantity === right.quantity &&
    left.fees === right.fees &&
    left.cost - left.realised === right.cost - right.realised
  )
}

function shown({ quantity, cost, realised, fees }: Position): string {
  return `${quantity} for ${cost}, realised ${realised}, fees ${fees}`
}
