import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { moneyOf } from '../amount.ts'
import { type DeskAccount, marketClocks } from './desk-view.ts'
import { notionalWindow } from './notional-window.ts'
import type { DeskSql } from './read-rows.ts'

const money = z.string().transform(moneyOf)
const absent = z.null().transform(() => undefined)

export const drawdownSchema = z.object({
  day: z.string(),
  dayStart: money,
  highWater: money,
  equity: money,
  level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  reducingUntil: z
    .number()
    .nullable()
    .transform((untilMs) => untilMs ?? undefined),
  isHalted: z.boolean(),
})

const accountsSchema = z.array(
  z.object({
    id: z.string(),
    venue: z.string(),
    clock: z.enum(marketClocks),
    isShortAllowed: z.boolean(),
    drawdown: z.union([drawdownSchema, absent]),
    cash: money,
    reserved: money,
    openOrders: z.number(),
    notionalWindow: z.record(z.string(), z.string()).transform(notionalWindow),
  }),
)

/** Locks the rows in the order of their ids, so that two transactions never wait in a ring. */
export async function lockAccounts(
  sql: TransactionSql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DeskAccount>> {
  const rows = await sql`
    select id, venue, clock, is_short_allowed as "isShortAllowed",
      drawdown, cash::text, reserved::text,
      open_orders as "openOrders", notional_window as "notionalWindow"
    from postern_account where id = any(${[...ids]}::text[]) order by id for update`
  const accounts = accountsSchema.parse(rows)
  return new Map(accounts.map((account) => [account.id, account]))
}

/** Up to where the account's fills at its venue are known to be here. */
export async function readFillsCursor(sql: DeskSql, account: string): Promise<string | undefined> {
  const [row] = await sql<{ cursor: string | null }[]>`
    select fills_cursor as cursor from postern_account where id = ${account}`
  return row?.cursor ?? undefined
}
