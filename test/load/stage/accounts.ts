import type { Sql } from 'postgres'
import { developmentIssuer } from '#core/access/access-file.ts'
import { subjectOf } from './callers.ts'

const startingCash = '1000000000000'

/**
 * Wide enough that orders at random are decided by the market and not by how many there are: their
 * limits lie up to half the price away from it, and one user repeats himself within milliseconds.
 */
const limits = {
  collar_bp: '10000',
  notional_max: '1000000',
  notional_per_minute_max: '1000000000000',
  open_orders_max: '1000000',
  position_max: '100000000',
  duplicate_window_ms: '0',
  size_by_volatility: '0',
  data_age_max_ms: '60000',
  messages_per_second: '100000',
}

/** Paper accounts of a replayed market, which is open whenever its clock says so. */
export async function openAccounts(sql: Sql, count: number): Promise<void> {
  await sql`update postern_market set index_symbol = null, volatility_symbol = null`
  const rows = Array.from({ length: count }, (_, index) => ({
    ...{ id: `load-${index}`, venue: 'paper', clock: 'replay' },
    ...{ starting_cash: startingCash, cash: startingCash, is_short_allowed: true },
  }))
  await sql`insert into postern_account ${sql(rows)}`
  const traders = rows.map(({ id }, index) => ({
    ...{ account: id, issuer: developmentIssuer, subject: subjectOf(index) },
  }))
  await sql`insert into postern_account_trader ${sql(traders)}`
  await sql`
    insert into postern_limit (scope, key, name, value, changed_by)
    select 'account', a.id, l.name, l.value::numeric, 'load'
    from postern_account a, jsonb_each_text(${JSON.stringify(limits)}::text::jsonb) as l(name, value)`
}
