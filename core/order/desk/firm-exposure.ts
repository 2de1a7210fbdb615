import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { amountOf, type Money, type Price, type Quantity } from '../amount.ts'
import type { FirmView } from '../check-input.ts'

/** Any number: who reckons what all accounts hold together does so one after the other. */
const firmLock = 7_205_759

/** What all accounts hold and have open, at last prices. */
export type FirmExposure = {
  /** `own` is what the order that is judged has open already: not in its own way. */
  of(sector: string | undefined, own?: OpenOrder): FirmView
  /** What this transaction opens. */
  add(sector: string | undefined, notional: Money): void
}

type OpenOrder = { readonly symbol: string; readonly quantity: Quantity }

type SymbolExposure = OpenOrder & {
  readonly sector: string | undefined
  readonly price: Price
}

const absent = z.null().transform(() => undefined)

const rowsSchema = z.array(
  z.object({
    symbol: z.string(),
    sector: z.union([z.string(), absent]),
    price: z.string().transform(amountOf),
    quantity: z.string().transform(amountOf),
  }),
)

/** One transaction at a time knows it. */
export async function readFirmExposure(sql: TransactionSql): Promise<FirmExposure> {
  const [, rows] = await Promise.all([
    sql`select pg_advisory_xact_lock(${firmLock})`,
    sql`
      select symbol, i.sector, coalesce(i.last_price, 0)::text as price,
        sum(abs(p.quantity) + p.open_buy + p.open_sell)::text as quantity
      from postern_position p left join postern_instrument i using (symbol)
      group by symbol, i.sector, i.last_price`,
  ])
  return firmExposure(rowsSchema.parse(rows))
}

export function firmExposure(held: readonly SymbolExposure[]): FirmExposure {
  const prices = new Map(held.map(({ symbol, price }) => [symbol, price]))
  const bySector = new Map<string, Money>()
  const add = (sector: string | undefined, value: Money): void =>
    void bySector.set(sector ?? '', (bySector.get(sector ?? '') ?? 0n) + value)
  for (const { sector, price, quantity } of held) add(sector, price * quantity)

  return {
    of(sector, own) {
      const value = own === undefined ? 0n : own.quantity * (prices.get(own.symbol) ?? 0n)
      const gross = [...bySector.values()].reduce((sum, part) => sum + part, 0n)
      return {
        gross: gross - value,
        sectorGross: (bySector.get(sector ?? '') ?? 0n) - value,
      }
    },
    add,
  }
}
