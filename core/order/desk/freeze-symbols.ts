import { systemRecord } from '../../audit/record.ts'
import type { DeskWork } from './desk-transaction.ts'

/**
 * Lets a symbol only be reduced, because what we hold of it and what the venue says differ. A halt
 * stays one. By hand it is made ACTIVE again: a switch that would have become so by itself does not.
 */
export async function freezeSymbols(
  { transaction, at, record }: Pick<DeskWork, 'transaction' | 'at' | 'record'>,
  frozen: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [symbol, reason] of [...frozen].sort()) {
    const changed = await transaction<{ state: string }[]>`
      insert into postern_trading_state as s (scope, key, state, reason, set_by, set_at)
      values ('symbol', ${symbol}, 'REDUCING', ${reason}, 'postern', ${at})
      on conflict (scope, key) do update set reason = excluded.reason, until = null,
        state = case when s.state = 'HALTED' and s.until > ${at} then s.state
          else excluded.state end,
        set_by = excluded.set_by, set_at = excluded.set_at, rearm_by = null
      where s.state = 'ACTIVE' or s.until is not null
      returning state`
    const state = changed[0]?.state
    if (state === undefined) continue
    record([
      systemRecord({
        id: Bun.randomUUIDv7(),
        type: 'trading.state_changed',
        at,
        target: `symbol/${symbol}`,
        outcome: 'ok',
        reason: 'RECONCILIATION',
        details: { state, reason },
      }),
    ])
  }
}
