import type { TransactionSql } from 'postgres'
import type { Nanos } from './bar.ts'
import type { MarketQuote } from './ingest-row.ts'
import { addSpreads, medianSpread, spreadsMax } from './quote-spreads.ts'

/**
 * Events so near to the start of their upload are the live market's; older ones were replayed or
 * came late. The start, and not the time at which somebody looks: that would change with a delay.
 */
export const liveWindowMs = 300_000

export type StagedExtent = {
  readonly rows: number
  readonly symbols: readonly string[]
  /** Milliseconds; undefined for an upload without rows. */
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  readonly liveMs: number | undefined
}

/** What an upload left in staging, before anything is made of it. */
export async function readStaged(
  sql: TransactionSql,
  ingest: string,
  startedMs: number,
): Promise<StagedExtent> {
  const [row] = await sql<
    {
      rows: number
      symbols: string[] | null
      fromMs: number | null
      toMs: number | null
      liveMs: number | null
    }[]
  >`
    with staged as (
      select body ->> 'symbol' as symbol, (body ->> 'time')::float8 as time
      from postern_market_staging where ingest = ${ingest}
    )
    select count(*)::integer as rows, array_agg(distinct symbol collate "C") as symbols,
      min(time) as "fromMs", max(time) as "toMs",
      max(time) filter (where abs(time - ${startedMs}::float8) <= ${liveWindowMs}::float8) as "liveMs"
    from staged`
  return {
    rows: row?.rows ?? 0,
    symbols: row?.symbols ?? [],
    fromMs: row?.fromMs ?? undefined,
    toMs: row?.toMs ?? undefined,
    liveMs: row?.liveMs ?? undefined,
  }
}

export type RowCounts = { readonly stored: number; readonly corrected: number }
type StoredBars = RowCounts & { readonly changed: readonly string[] }

/**
 * In the order of keys, or two uploads that share bars deadlock. Of a bar that stands twice in an
 * upload the later row counts. `changed` are the symbols of which bars are new or other than before.
 */
export async function storeBars(sql: TransactionSql, ingest: string): Promise<StoredBars> {
  const [counts] = await sql<StoredBars[]>`
    with rows as (
      select distinct on (symbol, "intervalMs", r.time) r.symbol, r."intervalMs" as interval_ms,
        to_timestamp(r.time / 1000) as time, r.open, r.high, r.low, r.close, r.volume
      from postern_market_staging s, jsonb_to_record(s.body) as r(type text, symbol text,
        "intervalMs" bigint, time float8, open numeric, high numeric, low numeric, close numeric,
        volume float8)
      where s.ingest = ${ingest} and r.type = 'bar'
      order by symbol, "intervalMs", r.time, s.position desc
    ), stored as (
      insert into postern_bar as b (symbol, interval_ms, time, open, high, low, close, volume,
        ingest)
      select symbol, interval_ms, time, open, high, low, close, volume, ${ingest}
      from rows order by symbol collate "C", interval_ms, time
      on conflict (symbol, interval_ms, time) do update set open = excluded.open,
        high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, ingest = excluded.ingest
      where (b.open, b.high, b.low, b.close, b.volume) is distinct from
        (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
      -- Of a row that was there before, xmax names the transaction that locked it: ours.
      returning symbol, xmax = 0 as is_new
    )
    select count(*) filter (where is_new)::integer as stored,
      count(*) filter (where not is_new)::integer as corrected,
      coalesce(array_agg(distinct symbol), '{}') as changed from stored`
  return counts ?? { stored: 0, corrected: 0, changed: [] }
}

/** New symbols become known, and all of the upload are locked until its end. */
export async function lockInstruments(
  sql: TransactionSql,
  symbols: readonly string[],
): Promise<void> {
  await sql`
    insert into postern_instrument (symbol)
    select symbol from unnest(${[...symbols]}::text[]) as s(symbol) order by symbol collate "C"
    on conflict do nothing`
  await sql`
    select from postern_instrument where symbol = any(${[...symbols]}) order by symbol for update`
}

/**
 * The close of the newest bar, unless a newer one is known; and that figures and pages of changed bars
 * are to be made anew.
 */
export async function moveBars(
  sql: TransactionSql,
  ingest: string,
  changed: readonly string[],
): Promise<void> {
  if (changed.length === 0) return
  await sql`
    update postern_instrument set bars_changed = true, bars_ingest = ${ingest}
    where symbol = any(${[...changed]})`
  await sql`
    with newest as (
      select distinct on (r.symbol) r.symbol, to_timestamp(r.time / 1000) as time, r.close
      from postern_market_staging s, jsonb_to_record(s.body) as r(type text, symbol text,
        "intervalMs" bigint, time float8, close numeric)
      where s.ingest = ${ingest} and r.type = 'bar'
      order by r.symbol, r.time desc, r."intervalMs", s.position desc
    )
    update postern_instrument i set last_price = n.close, last_time = n.time, changed_at = now()
    from newest n
    where i.symbol = n.symbol and (i.last_time is null or i.last_time <= n.time)
      and (i.last_price, i.last_time) is distinct from (n.close, n.time)`
}

type NewestQuote = Omit<MarketQuote, 'type' | 'levels'> & {
  readonly spreads: readonly Nanos[]
  readonly knownSpreads: readonly Nanos[]
  readonly isCorrection: boolean
  readonly stored: number
}

/** Quotes that are newer than the known one; with its time and other figures they correct it. */
export async function storeQuotes(
  sql: TransactionSql,
  ingest: string,
  startedMs: number,
): Promise<RowCounts> {
  const newest = await sql<NewestQuote[]>`
    with quotes as (
      select distinct on (r.symbol, r.time) r.*
      from postern_market_staging s, jsonb_to_record(s.body) as r(type text, symbol text,
        time float8, bid numeric, ask numeric, "bidSize" float8, "askSize" float8)
      where s.ingest = ${ingest} and r.type = 'quote'
      order by r.symbol, r.time, s.position desc
    ), fresh as (
      select q.*, i.spreads as "knownSpreads", k.time = q.time as "isCorrection",
        row_number() over (partition by q.symbol order by q.time desc) as age
      from quotes q join postern_instrument i using (symbol)
      left join jsonb_to_record(i.quote) as k(time float8, bid numeric, ask numeric,
        "bidSize" float8, "askSize" float8) on true
      where k.time is null or k.time < q.time or (k.time = q.time and
        (k.bid, k.ask, k."bidSize", k."askSize") is distinct from
        (q.bid, q.ask, q."bidSize", q."askSize"))
    ), spreads as (
      select symbol, count(*) filter (where "isCorrection" is not true)::integer as stored,
        bool_or("isCorrection" is true) as "isCorrection",
        jsonb_agg(((ask - bid) * 1000000000)::bigint order by time) filter (where age <= ${spreadsMax})
          as spreads
      from fresh group by symbol
    )
    select f.symbol, f.time, trim_scale(f.bid)::text as bid, trim_scale(f.ask)::text as ask,
      f."bidSize", f."askSize", f."knownSpreads", s.spreads, s.stored, s."isCorrection"
    from fresh f join spreads s using (symbol) where f.age = 1`
  const rows = newest.map((quote) => quoteColumns(quote, startedMs))
  await sql`
    update postern_instrument i set quote = n.quote, spreads = n.spreads, changed_at = now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as n(symbol text, quote jsonb,
      spreads jsonb)
    where i.symbol = n.symbol`
  await moveLevels(sql, ingest)
  return {
    stored: newest.reduce((sum, quote) => sum + quote.stored, 0),
    corrected: newest.filter((quote) => quote.isCorrection).length,
  }
}

function quoteColumns(newest: NewestQuote, startedMs: number) {
  const { symbol, time, bid, ask, bidSize, askSize } = newest
  // A corrected quote's spread takes the place of the last one.
  const known = newest.isCorrection ? newest.knownSpreads.slice(0, -1) : newest.knownSpreads
  const spreads = addSpreads(known, newest.spreads)
  return {
    symbol,
    quote: {
      ...{ time, bid, ask, bidSize, askSize },
      medianSpread: medianSpread(spreads),
      isLive: Math.abs(time - startedMs) <= liveWindowMs,
    },
    spreads,
  }
}

async function moveLevels(sql: TransactionSql, ingest: string): Promise<void> {
  await sql`
    with newest as (
      select distinct on (symbol) body ->> 'symbol' as symbol, (body ->> 'time')::float8 as time,
        body -> 'levels' as levels
      from postern_market_staging
      where ingest = ${ingest} and body ? 'levels'
      order by symbol, time desc, position desc
    )
    update postern_instrument i
    set levels = n.levels || jsonb_build_object('time', n.time), changed_at = now()
    from newest n
    where i.symbol = n.symbol
      and (i.levels is null or (i.levels ->> 'time')::float8 <= n.time)
      and i.levels is distinct from n.levels || jsonb_build_object('time', n.time)`
}

/** The markets' clocks; they never go back. */
export async function moveClocks(sql: TransactionSql, staged: StagedExtent): Promise<void> {
  const { toMs, liveMs } = staged
  await sql`select from postern_market order by clock for update`
  await sql`
    update postern_market m set time = n.time
    from (values ('replay', to_timestamp(${toMs ?? null}::float8 / 1000)),
      ('live', to_timestamp(${liveMs ?? null}::float8 / 1000))) as n(clock, time)
    where m.clock = n.clock and (m.time is null or m.time < n.time)`
}
