import { systemRecord } from '../../audit/record.ts'
import {
  advanceDrawdown,
  type DrawdownState,
  drawdownRules,
  drawdownVerdict,
  startDrawdown,
} from '../../market/drawdown-breaker.ts'
import { runOrSplit } from '../../postgres/group-commit.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, type Money, moneyOf } from '../amount.ts'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'

/** Accounts that share a commit; their orders wait for it. */
const accountsPerCommit = 32

/**
 * Marks accounts to the market at a time of their clock, for the portfolio-loss breaker. An account
 * that cannot be marked leaves the others alone.
 */
export async function markAccounts(
  connection: DeskConnection,
  accounts: readonly string[],
  timeMs: number,
): Promise<void> {
  for (let from = 0; from < accounts.length; from += accountsPerCommit) {
    const some = accounts.slice(from, from + accountsPerCommit)
    const fates = await runOrSplit(
      some,
      (ids) => markTogether(connection, ids, timeMs),
      (error) => databaseOutage(error) !== undefined,
    )
    for (const fate of fates) if (!fate.ok) rethrowAsOutage(fate.error)
  }
}

type Marked = { readonly account: string; readonly after: DrawdownState }

async function markTogether(
  connection: DeskConnection,
  accounts: readonly string[],
  timeMs: number,
): Promise<readonly undefined[]> {
  await deskTransaction(connection, { accounts }, async (work) => {
    const { desk, transaction } = work
    const values = await readMarketValues(work, accounts)
    const marked = accounts.map((account): Marked => {
      const { drawdown, cash } = desk.account(account)
      const mark = { timeMs, equity: cash + (values.get(account) ?? 0n) }
      // An account that was marked later already has nothing to learn.
      const after =
        drawdown === undefined
          ? startDrawdown(mark)
          : advanceDrawdown(drawdown, mark, drawdownRules)
      return { account, after }
    })
    await transaction`
      update postern_account a set drawdown = m.drawdown::jsonb
      from unnest(${marked.map(({ account }) => account)}::text[],
        ${marked.map(({ after }) => drawdownJson(after))}::text[]) as m(id, drawdown)
      where a.id = m.id`
    for (const { account, after } of marked) {
      const level = desk.account(account).drawdown?.level ?? 0
      if (after.level > level) await tell(work, { account, after, timeMs })
    }
  })
  return accounts.map(() => undefined)
}

/** Positions at last prices; one without a price counts at its cost. */
async function readMarketValues(
  { transaction }: DeskWork,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, Money>> {
  const rows = await transaction<{ account: string; value: string }[]>`
    select p.account,
      sum(coalesce(p.quantity * i.last_price, p.cost))::numeric(38, 18)::text as value
    from postern_position p left join postern_instrument i using (symbol)
    where p.account = any(${[...accounts]}) and p.quantity <> 0 group by p.account`
  return new Map(rows.map(({ account, value }) => [account, moneyOf(value)]))
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
