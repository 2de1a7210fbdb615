import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { invariant } from '../../invariant.ts'
import { drawdownVerdict } from '../../market/drawdown-breaker.ts'
import { readMarkets, readSymbolMarkets } from '../../market/postgres-market-store.ts'
import { earlyBegin } from '../../postgres/early-begin.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, type Money, moneyOf } from '../amount.ts'
import { buyingPowerLeft } from '../check-buying-power.ts'
import { tradingStates } from '../check-input.ts'
import { marketValue } from '../position.ts'
import { marketClocks } from './desk-view.ts'
import { drawdownSchema } from './lock-accounts.ts'
import { readHeld } from './position-reads.ts'
import { readShortValues } from './read-entry.ts'
import { effectiveState, readSwitches } from './switches.ts'
import { type Trader, tradedAccount } from './traded-accounts.ts'

export const accountDocumentSchema = z.object({
  id: z.string(),
  venue: z.string(),
  clock: z.enum(marketClocks),
  clock_time: z
    .string()
    .nullable()
    .meta({ description: 'Of its market; null before the first bar' }),
  is_short_allowed: z.boolean(),
  starting_cash: z.string(),
  cash: z.string(),
  reserved: z.string().meta({ description: 'Buying power that open orders hold' }),
  buying_power: z.string().meta({ description: 'Cash less the margin of shorts and `reserved`' }),
  short_value: z.string(),
  equity: z.string().nullable().meta({ description: 'null: a position has no price' }),
  unmarked: z.array(z.string()).meta({ description: 'Symbols held without a price' }),
  open_orders: z.int(),
  trading_state: z.object({ state: z.enum(tradingStates), scope: z.string(), reason: z.string() }),
  drawdown: z
    .object({
      state: z.enum(tradingStates),
      level: z.int(),
      day: z.string(),
      day_start_equity: z.string(),
      high_water_equity: z.string(),
      equity: z.string().meta({ description: 'When it was last marked' }),
    })
    .nullable(),
  reconciled_at: z.string().nullable(),
})
accountDocumentSchema.register(z.globalRegistry, { title: 'Account' })
export type AccountDocument = z.infer<typeof accountDocumentSchema>

export type AccountReads = {
  /**
   * All of it as of one moment. Throws `account.not_found`, `request.query_invalid` when the caller
   * may trade several and names none, `database.unavailable`.
   */
  find(trader: Trader, account: string | undefined): Promise<AccountDocument>
}

export function accountReads({ sql, now }: { readonly sql: Sql; readonly now: () => Date }) {
  const reads: AccountReads = {
    find: async (trader, account) => {
      let found: AccountDocument | undefined
      await sql
        .begin(`${earlyBegin} isolation level repeatable read read only`, async (transaction) => {
          found = await readAccount(transaction, { trader, account, at: now() })
        })
        .catch(rethrowAsOutage)
      invariant(found !== undefined, 'a transaction that has ended has run')
      return found
    },
  }
  return reads
}

const money = z.string().transform(moneyOf)

const rowsSchema = z.array(
  z.object({
    id: z.string(),
    venue: z.string(),
    clock: z.enum(marketClocks),
    isShortAllowed: z.boolean(),
    startingCash: money,
    cash: money,
    reserved: money,
    openOrders: z.number(),
    drawdown: drawdownSchema.nullable(),
    reconciledAt: z.date().nullable(),
  }),
)
type AccountRow = z.infer<typeof rowsSchema>[number]

async function readAccount(
  sql: TransactionSql,
  about: { readonly trader: Trader; readonly account: string | undefined; readonly at: Date },
): Promise<AccountDocument> {
  const { trader, account, at } = about
  const id = await tradedAccount(sql, trader, account)
  const [rows, markets, switches, shortValues, worth] = await Promise.all([
    sql`
      select id, venue, clock, is_short_allowed as "isShortAllowed",
        starting_cash::text as "startingCash", cash::text, reserved::text,
        open_orders as "openOrders", drawdown, reconciled_at as "reconciledAt"
      from postern_account where id = ${id}`,
    readMarkets(sql),
    readSwitches(sql, at),
    readShortValues(sql, [id]),
    readWorth(sql, id),
  ])
  const [row] = rowsSchema.parse(rows)
  invariant(row !== undefined, 'an account of a trader is there')
  const clockMs = row.clock === 'live' ? at.getTime() : markets.replay.timeMs
  const shortValue = shortValues.get(id) ?? 0n
  return {
    id,
    venue: row.venue,
    clock: row.clock,
    clock_time: clockMs === undefined ? null : new Date(clockMs).toISOString(),
    is_short_allowed: row.isShortAllowed,
    starting_cash: formatMoney(row.startingCash),
    cash: formatMoney(row.cash),
    reserved: formatMoney(row.reserved),
    buying_power: formatMoney(buyingPowerLeft({ ...row, shortValue })),
    short_value: formatMoney(shortValue),
    equity: worth.unmarked.length === 0 ? formatMoney(row.cash + worth.value) : null,
    unmarked: [...worth.unmarked],
    open_orders: row.openOrders,
    trading_state: effectiveState(switches, { account: id, symbol: '', strategy: undefined }),
    drawdown: drawdownOf(row, clockMs),
    reconciled_at: row.reconciledAt?.toISOString() ?? null,
  }
}

type Worth = { readonly value: Money; readonly unmarked: readonly string[] }

async function readWorth(sql: TransactionSql, id: string): Promise<Worth> {
  const held = (await readHeld(sql, [id])).filter(({ quantity }) => quantity !== 0n)
  const markets = await readSymbolMarkets(
    sql,
    held.map(({ symbol }) => symbol),
  )
  const unmarked: string[] = []
  let value = 0n
  for (const position of held) {
    const mark = markets.get(position.symbol)?.reference
    if (mark === undefined) unmarked.push(position.symbol)
    else value += marketValue(position, mark.price)
  }
  return { value, unmarked }
}

function drawdownOf(
  { drawdown }: AccountRow,
  clockMs: number | undefined,
): AccountDocument['drawdown'] {
  if (drawdown === null) return null
  const { state } =
    clockMs === undefined ? { state: 'ACTIVE' as const } : drawdownVerdict(drawdown, clockMs)
  return {
    state,
    level: drawdown.level,
    day: drawdown.day,
    day_start_equity: formatMoney(drawdown.dayStart),
    high_water_equity: formatMoney(drawdown.highWater),
    equity: formatMoney(drawdown.equity),
  }
}
