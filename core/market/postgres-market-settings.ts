import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { Caller } from '../access/principal.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditType, callerRecord } from '../audit/record.ts'
import { amountOf, amountSchema, formatAmount } from '../order/amount.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { breakerStateSchema } from './breaker.ts'
import { symbolSchema } from './ingest-row.ts'
import {
  type InstrumentRow,
  instrumentColumns,
  type MarketClock,
  readMarkets,
} from './postgres-market-store.ts'

const positiveSchema = amountSchema.refine((text) => text !== '0', 'must be above zero')
const sectorSchema = z.string().regex(/^[\w .&-]{1,64}$/, 'must be 1 to 64 letters')

/** What an operator may set of an instrument; what is left out stays. */
export const instrumentChangeSchema = z
  .strictObject({
    sector: sectorSchema.nullable(),
    isTradable: z.boolean(),
    isRestricted: z.boolean(),
    isShortable: z.boolean(),
    lot: positiveSchema,
    quantityMin: positiveSchema,
    luldTier: z.union([z.literal(1), z.literal(2)]),
    haltedUntil: z.iso.datetime({ offset: true }).nullable(),
  })
  .partial()
export type InstrumentChange = z.infer<typeof instrumentChangeSchema>

export const instrumentDocument = instrumentChangeSchema
  .required()
  .extend({ symbol: symbolSchema, lot: z.string(), quantityMin: z.string() })
export type InstrumentDocument = z.infer<typeof instrumentDocument>
instrumentDocument.register(z.globalRegistry, { title: 'Instrument' })

/** Null: no market-wide breaker, no VIX. What is left out stays. */
export const marketChangeSchema = z
  .strictObject({ indexSymbol: symbolSchema.nullable(), volatilitySymbol: symbolSchema.nullable() })
  .partial()
export type MarketChange = z.infer<typeof marketChangeSchema>

export const marketSettingsDocument = z.strictObject({
  clock: z.string(),
  time: z.iso.datetime().nullable(),
  indexSymbol: z.string().nullable(),
  volatilitySymbol: z.string().nullable(),
  breaker: breakerStateSchema.nullable(),
})
marketSettingsDocument.register(z.globalRegistry, { title: 'MarketSettings' })
export type MarketSettingsDocument = z.infer<typeof marketSettingsDocument>

/** Each change commits with its audit record. All throw `database.unavailable`. */
export type MarketSettings = {
  /** Undefined for a symbol that is not known. */
  instrument(symbol: string): Promise<InstrumentDocument | undefined>
  /** A symbol that is not known becomes known: it may be restricted before it has a price. */
  setInstrument(
    symbol: string,
    change: InstrumentChange,
    caller: Caller,
  ): Promise<InstrumentDocument>
  market(clock: MarketClock): Promise<MarketSettingsDocument>
  /** Another index starts with a breaker that knows nothing. */
  setMarket(
    clock: MarketClock,
    change: MarketChange,
    caller: Caller,
  ): Promise<MarketSettingsDocument>
}

export type MarketSettingsOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}

export function postgresMarketSettings(options: MarketSettingsOptions): MarketSettings {
  const { sql } = options
  return {
    instrument: (symbol) => readInstrument(sql, symbol, 'none').catch(rethrowAsOutage),
    setInstrument: (symbol, change, caller) =>
      storeInstrument(options, caller, { symbol, change }).catch(rethrowAsOutage),
    market: (clock) => readMarket(sql, clock).catch(rethrowAsOutage),
    setMarket: (clock, change, caller) =>
      storeMarket(options, caller, { clock, change }).catch(rethrowAsOutage),
  }
}

type SetRow = InstrumentRow & { readonly luldTier: number; readonly haltedUntil: Date | null }

async function readInstrument(
  sql: Sql | TransactionSql,
  symbol: string,
  lock: 'none' | 'update',
): Promise<InstrumentDocument | undefined> {
  const [row] = await sql<SetRow[]>`
    select ${instrumentColumns(sql)}, i.luld_tier as "luldTier", i.halted_until as "haltedUntil"
    from postern_instrument i where i.symbol = ${symbol} ${lock === 'update' ? sql`for update` : sql``}`
  if (row === undefined) return undefined
  return {
    ...row,
    symbol,
    lot: formatAmount(amountOf(row.lot)),
    quantityMin: formatAmount(amountOf(row.quantityMin)),
    luldTier: row.luldTier === 2 ? 2 : 1,
    haltedUntil: row.haltedUntil?.toISOString() ?? null,
  }
}

async function storeInstrument(
  { sql, journal, now }: MarketSettingsOptions,
  caller: Caller,
  { symbol, change }: { readonly symbol: string; readonly change: InstrumentChange },
): Promise<InstrumentDocument> {
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    await transaction`
      insert into postern_instrument (symbol) values (${symbol}) on conflict do nothing`
    const before = await readInstrument(transaction, symbol, 'update')
    const next = { ...before, ...change }
    await transaction`
      update postern_instrument i set sector = n.sector, is_tradable = n."isTradable",
        is_restricted = n."isRestricted", is_shortable = n."isShortable", lot = n.lot,
        quantity_min = n."quantityMin", luld_tier = n."luldTier",
        halted_until = n."haltedUntil", changed_at = now()
      from jsonb_to_record(${JSON.stringify(next)}::text::jsonb) as n(sector text,
        "isTradable" boolean, "isRestricted" boolean, "isShortable" boolean, lot numeric,
        "quantityMin" numeric, "luldTier" smallint, "haltedUntil" timestamptz)
      where i.symbol = ${symbol}`
    const after = await readInstrument(transaction, symbol, 'none')
    if (before === undefined || after === undefined) {
      throw new Error('invariant: an instrument that was just written is there')
    }
    const about = { target: `instrument/${symbol}`, at: now(), caller }
    await record([changeRecord('instrument.changed', about, { before, after })])
    return after
  })
}

async function readMarket(
  sql: Sql | TransactionSql,
  clock: MarketClock,
  lock: 'none' | 'update' = 'none',
): Promise<MarketSettingsDocument> {
  const { timeMs, breaker, indexSymbol, volatilitySymbol } = (await readMarkets(sql, lock))[clock]
  return {
    clock,
    time: timeMs === undefined ? null : new Date(timeMs).toISOString(),
    indexSymbol: indexSymbol ?? null,
    volatilitySymbol: volatilitySymbol ?? null,
    breaker: breaker ?? null,
  }
}

async function storeMarket(
  { sql, journal, now }: MarketSettingsOptions,
  caller: Caller,
  { clock, change }: { readonly clock: MarketClock; readonly change: MarketChange },
): Promise<MarketSettingsDocument> {
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const before = await readMarket(transaction, clock, 'update')
    const { indexSymbol = before.indexSymbol, volatilitySymbol = before.volatilitySymbol } = change
    await transaction`
      update postern_market set index_symbol = ${indexSymbol}::text,
        volatility_symbol = ${volatilitySymbol}::text,
        breaker = case when index_symbol is not distinct from ${indexSymbol}::text then breaker end
      where clock = ${clock}`
    const after = await readMarket(transaction, clock)
    const about = { target: `market/${clock}`, at: now(), caller }
    await record([changeRecord('market.changed', about, { before, after })])
    return after
  })
}

function changeRecord(
  type: AuditType,
  about: { readonly target: string; readonly at: Date; readonly caller: Caller },
  details: { readonly before: unknown; readonly after: unknown },
) {
  const { target, at, caller } = about
  const id = Bun.randomUUIDv7()
  return callerRecord(caller, { id, type, at, target, outcome: 'ok', details })
}
