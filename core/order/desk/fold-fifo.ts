import { z } from 'zod'
import { exchangeDay } from '../../market/session.ts'
import { amountOf, moneyOf } from '../amount.ts'
import { applyFillToLots, flatLots, type LotPosition } from '../lots.ts'
import { sides } from '../order.ts'
import { positionKey } from './desk-view.ts'
import type { PositionDay } from './ledger.ts'
import type { DayRange } from './pnl-report.ts'
import type { DeskSql } from './read-rows.ts'
import { refuseMore } from './refuse-more.ts'

/** Lots have no rows of their own: every fill since the accounts began is read, in some seconds. */
const fillsMax = 200_000
/** Folded at a time, in about 10 ms; other requests are served in between. */
const fillsPerStep = 1_000

const fillsSchema = z.array(
  z.object({
    account: z.string(),
    symbol: z.string(),
    side: z.enum(sides),
    quantity: z.string().transform(amountOf),
    price: z.string().transform(amountOf),
    fee: z.string().transform(moneyOf),
    at: z.date().transform((at) => at.getTime()),
  }),
)

/**
 * The ends of positions' days by FIFO cost: those in the range and, for each position, the last one
 * before it. Throws `request.query_invalid` for too many fills.
 */
export async function foldFifo(
  sql: DeskSql,
  accounts: readonly string[],
  { start, end }: DayRange,
): Promise<readonly PositionDay[]> {
  const ids = [...accounts]
  await refuseMany(sql, ids)
  const positions = new Map<string, LotPosition>()
  const ends = new Map<string, PositionDay>()
  const steps = sql`
    select account, symbol, side, quantity::text, price::text, fee::text, at from postern_fill
    where account = any(${ids}::text[]) order by at, position`.cursor(fillsPerStep)
  for await (const rows of steps) {
    for (const { account, symbol, at, ...fill } of fillsSchema.parse(rows)) {
      const day = exchangeDay(at)
      if (day > end) continue
      const key = positionKey(account, symbol)
      const position = applyFillToLots(positions.get(key) ?? flatLots, fill)
      positions.set(key, position)
      ends.set(`${key} ${day < start ? '' : day}`, { account, symbol, day, position })
    }
  }
  return [...ends.values()]
}

async function refuseMany(sql: DeskSql, accounts: string[]): Promise<void> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from (
      select from postern_fill where account = any(${accounts}::text[]) limit ${fillsMax + 1}) f`
  refuseMore(row?.count ?? 0, fillsMax, 'fills to fold; ask for method=average, or one account')
}
