import { systemRecord } from '../../audit/record.ts'
import {
  advanceDrawdown,
  type DrawdownState,
  drawdownRules,
  drawdownVerdict,
  startDrawdown,
} from '../../market/drawdown-breaker.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, type Money, moneyOf } from '../amount.ts'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'

/** Marks an account to the market at a time of its clock, for the portfolio-loss breaker. */
export async function markAccount(
  connection: DeskConnection,
  account: string,
  timeMs: number,
): Promise<void> {
  await deskTransaction(connection, { accounts: [account] }, async (work) => {
    const { desk, transaction } = work
    const before = desk.account(account).drawdown
    // An account that was marked later already has nothing to learn.
    const equity = desk.account(account).cash + (await readMarketValue(work, account))
    const mark = { timeMs, equity }
    const after =
      before === undefined ? startDrawdown(mark) : advanceDrawdown(before, mark, drawdownRules)
    await transaction`
      update postern_account set drawdown = ${drawdownJson(after)}::text::jsonb
      where id = ${account}`
    const isLevelReached = after.level > (before?.level ?? 0)
    if (isLevelReached) await tell(work, { account, after, timeMs })
  }).catch(rethrowAsOutage)
}

/** Positions at last prices; one without a price counts at its cost. */
async function readMarketValue({ transaction }: DeskWork, account: string): Promise<Money> {
  const [row] = await transaction<{ value: string | null }[]>`
    select sum(coalesce(p.quantity * i.last_price, p.cost))::numeric(38, 18)::text as value
    from postern_position p left join postern_instrument i using (symbol)
    where p.account = ${account} and p.quantity <> 0`
  return row?.value == null ? 0n : moneyOf(row.value)
}

export function drawdownJson(state: DrawdownState): string {
  return JSON.stringify({
    ...state,
    dayStart: formatMoney(state.dayStart),
    highWater: formatMoney(state.highWater),
    equity: formatMoney(state.equity),
    reducingUntil: state.reducingUntil ?? null,
  })
}

/** The third level is a halt of the account like any other: two persons lift it. */
async function tell(
  { transaction, at, record }: DeskWork,
  about: { readonly account: string; readonly after: DrawdownState; readonly timeMs: number },
): Promise<void> {
  const { account, after, timeMs } = about
  const { state } = drawdownVerdict(after, timeMs)
  const reason = `drawdown level ${after.level}`
  if (state === 'HALTED') {
    await transaction`
      insert into postern_trading_state as s (scope, key, state, reason, set_by, set_at)
      values ('account', ${account}, 'HALTED', ${reason}, 'postern', ${at})
      on conflict (scope, key) do update set state = excluded.state, reason = excluded.reason,
        until = null, set_by = excluded.set_by, set_at = excluded.set_at, rearm_by = null`
  }
  record([
    systemRecord({
      id: Bun.randomUUIDv7(),
      type: 'trading.state_changed',
      at,
      target: `account/${account}`,
      outcome: 'ok',
      reason: 'DRAWDOWN',
      details: {
        state,
        level: after.level,
        equity: formatMoney(after.equity),
        highWater: formatMoney(after.highWater),
      },
    }),
  ])
}
