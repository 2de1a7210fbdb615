import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { invariant } from '../../invariant.ts'
import { tradingStates } from '../check-input.ts'
import { type SwitchName, switchScopes, type TradingSwitch } from './trading-switch.ts'

const absent = z.null().transform(() => undefined)

const switchRow = z.object({
  scope: z.enum(switchScopes),
  key: z.string(),
  state: z.enum(tradingStates),
  reason: z.string(),
  until: z.union([z.date(), absent]),
  setBy: z.string(),
  setAt: z.date(),
  rearmBy: z.union([z.string(), absent]),
})
export const switchRows = z.array(switchRow)
export type NamedSwitch = z.infer<typeof switchRow>

/**
 * Locks a switch, which is made ACTIVE first where there is none: two who act on it at once act one
 * after the other, also on the first halt of all.
 */
export async function lockSwitch(
  sql: TransactionSql,
  { scope, key }: SwitchName,
  at: Date,
): Promise<TradingSwitch> {
  await sql`
    insert into postern_trading_state (scope, key, state, reason, set_by, set_at)
    values (${scope}, ${key}, 'ACTIVE', '', 'postern', ${at}) on conflict do nothing`
  const rows = await sql`
    select scope, key, state, reason, until, set_by as "setBy", set_at as "setAt",
      rearm_by as "rearmBy"
    from postern_trading_state where scope = ${scope} and key = ${key} for update`
  const [row] = switchRows.parse(rows)
  invariant(row !== undefined, 'nobody deletes a switch')
  return row
}

export async function storeSwitch(
  sql: TransactionSql,
  { scope, key }: SwitchName,
  next: TradingSwitch,
): Promise<void> {
  const { state, reason, until, setBy, setAt, rearmBy } = next
  await sql`
    update postern_trading_state set state = ${state}, reason = ${reason},
      until = ${until ?? null}, set_by = ${setBy}, set_at = ${setAt},
      rearm_by = ${rearmBy ?? null}
    where scope = ${scope} and key = ${key}`
}
