import { z } from 'zod'
import { systemRecord } from '../../audit/record.ts'
import { chunks } from '../../chunks.ts'
import {
  advanceDrawdown,
  type DrawdownState,
  drawdownRules,
  drawdownVerdict,
  type EquityMark,
  startDrawdown,
} from '../../market/drawdown-breaker.ts'
import { runOrSplit } from '../../postgres/group-commit.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import { formatMoney, type Money, moneyOf } from '../amount.ts'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'
import { drawdownSchema } from './lock-accounts.ts'
import type { DeskSql } from './read-rows.ts'

/** Accounts that are marked in one statement. */
const accountsPerStatement = 256
/** Looks at those that somebody was changing just then, before their locks are waited for. */
const looks = 2
/** Accounts that share a commit; their orders wait for it. */
const accountsPerCommit = 32

/**
 * Marks accounts to the market at a time of their clock, for the portfolio-loss breaker. An account
 * that cannot be marked leaves the others alone.
 *
 * Locks are held for one statement, and not waited for: all accounts are marked with every round of quotes,
 * and an order that shares its commit with twenty others met one of the locks more often than not.
 */
export async function markAccounts(
  connection: DeskConnection,
  accounts: readonly string[],
  timeMs: number,
): Promise<void> {
  let left = accounts
  for (let look = 1; look <= looks && left.length > 0; look += 1) {
    left = await markUnlocked(connection, left, timeMs).catch(rethrowAsOutage)
  }
  for (const some of chunks(left, accountsPerCommit)) {
    const fates = await runOrSplit(
      some,
      (ids) => markTogether(connection, ids, timeMs),
      (error) => databaseOutage(error) !== undefined,
    )
    for (const fate of fates) if (!fate.ok) rethrowAsOutage(fate.error)
  }
}

const unlockedSchema = z.array(
  z.object({
    id: z.string(),
    cash: z.string(),
    equity: z.string().transform(moneyOf),
    drawdown: drawdownSchema.nullable().transform((state) => state ?? undefined),
    /** As it stands in its row, to know it again. */
    before: z.string(),
  }),
)

/**
 * Reads accounts as of one moment and stores their marks where cash and state are still the same; a fill
 * changes cash and position in one commit. Returns those that are not marked: changed meanwhile, locked, or
 * due for the next level, which is told of and has to be decided behind the lock.
 */
async function markUnlocked(
  { sql }: DeskConnection,
  accounts: readonly string[],
  timeMs: number,
): Promise<readonly string[]> {
  const marked = new Set<string>()
  for (const ids of chunks(accounts, accountsPerStatement)) {
    const rows = await sql`
      select a.id, a.cash::text, a.drawdown, coalesce(a.drawdown::text, '') as before,
        (a.cash + ${marketValue(sql)})::numeric(38, 18)::text as equity
      from postern_account a where a.id = any(${ids}::text[])`
    const known = unlockedSchema.parse(rows).flatMap(({ equity, drawdown, ...row }) => {
      const after = markedAfter(drawdown, { timeMs, equity })
      return after.level > (drawdown?.level ?? 0) ? [] : [{ ...row, after: drawdownJson(after) }]
    })
    const stored = await sql<{ id: string }[]>`
      with wanted as (
        select * from unnest(${known.map(({ id }) => id)}::text[],
          ${known.map(({ cash }) => cash)}::text[], ${known.map(({ before }) => before)}::text[],
          ${known.map(({ after }) => after)}::text[]) as w(id, cash, before, after)
      ), free as (
        select a.id, w.after from wanted w join postern_account a on a.id = w.id
        where a.cash = w.cash::numeric and coalesce(a.drawdown::text, '') = w.before
        for update of a skip locked
      )
      update postern_account a set drawdown = f.after::jsonb from free f where a.id = f.id
      returning a.id`
    for (const { id } of stored) marked.add(id)
  }
  return accounts.filter((id) => !marked.has(id))
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
      const equity = cash + (values.get(account) ?? 0n)
      return { account, after: markedAfter(drawdown, { timeMs, equity }) }
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

function markedAfter(drawdown: DrawdownState | undefined, mark: EquityMark): DrawdownState {
  if (drawdown === undefined) return startDrawdown(mark)
  return advanceDrawdown(drawdown, mark, drawdownRules)
}

async function readMarketValues(
  { transaction }: DeskWork,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, Money>> {
  const rows = await transaction<{ account: string; value: string }[]>`
    select a.id as account, ${marketValue(transaction)}::numeric(38, 18)::text as value
    from postern_account a where a.id = any(${[...accounts]}::text[])`
  return new Map(rows.map(({ account, value }) => [account, moneyOf(value)]))
}

/** Of the positions of an account `a`, at last prices; one without a price counts at its cost. */
function marketValue(sql: DeskSql) {
  return sql`coalesce((
    select sum(coalesce(p.quantity * i.last_price, p.cost)) from postern_position p
    left join postern_instrument i using (symbol) where p.account = a.id and p.quantity <> 0), 0)`
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
