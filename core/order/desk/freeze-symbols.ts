import { systemRecord } from '../../audit/record.ts'
import type { DeskWork } from './desk-transaction.ts'

/**
 * Lets a symbol only be reduced, because what we hold of it and what the venue says differ. A
 * stricter switch stays. By hand it is made ACTIVE again.
 */
export async function freezeSymbols(
  { transaction, at, record }: Pick<DeskWork, 'transaction' | 'at' | 'record'>,
  frozen: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [symbol, reason] of [...frozen].sort()) {
    await transaction`
      insert into postern_trading_state as s (scope, key, state, reason, set_by, set_at)
      values ('symbol', ${symbol}, 'REDUCING', ${reason}, 'postern', ${at})
      on conflict (scope, key) do update set state = excluded.state, reason = excluded.reason,
        until = null, set_by = excluded.set_by, set_at = excluded.set_at, rearm_by = null
      where s.state = 'ACTIVE'`
    record([
      systemRecord({
        id: Bun.randomUUIDv7(),
        type: 'trading.state_changed',
        at,
        target: `symbol/${symbol}`,
        outcome: 'ok',
        reason: 'RECONCILIATION',
        details: { state: 'REDUCING', reason },
      }),
    ])
  }
}
