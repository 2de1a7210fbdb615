import type { Sql } from 'postgres'
import { type Principal, subjectOf } from '../../access/principal.ts'
import { PosternError } from '../../errors.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { limitDefaults } from '../limits.ts'

/** How long what was read is as good as new. The transaction that enters an order asks again. */
const freshMs = 2_000
/** How long an account that was found is still believed in, while it is asked about again. */
const recallMs = 60_000
const rememberedMax = 10_000
/** Of one statement. */
const keysMax = 256
const tradedMax = 1_000

export type TradedAccount = { readonly id: string; readonly messagesPerSecond: number }

/** Who trades what, for the questions in front of the transaction that decides. */
export type AccountDirectory = {
  /**
   * The account that is asked for, or the only one; else throws `account.not_authorized`. Who asks every few
   * seconds is answered at once, with a rate that is at most one message behind.
   */
  tradedAccount(principal: Principal, account: string | undefined): Promise<TradedAccount>
  /** The account of an order that the principal may trade; throws `order.not_found`. */
  accountOfOrder(id: string, principal: Principal): Promise<AccountOfOrder>
}

export type AccountOfOrder = TradedAccount & {
  /** Of the order, when it was looked up. */
  readonly status: string
}

export function accountDirectory(sql: Sql, now: () => Date): AccountDirectory {
  const tradedBy = remembering(
    now,
    groupReads<Principal, readonly TradedAccount[]>({
      read: (principals) => readTradedBy(sql, principals),
      textOf: subjectOf,
      keysMax,
    }),
  )
  const ofOrder = groupReads<AskedOrder, AccountOfOrder | undefined>({
    read: (asked) => readOfOrders(sql, asked),
    textOf: ({ id, principal }) => `${id} ${subjectOf(principal)}`,
    keysMax,
  })

  return {
    async tradedAccount(principal, account) {
      const recalled = pick(tradedBy.recall(principal) ?? [], account)
      if (recalled !== undefined) return recalled
      const all = await tradedBy.read(principal)
      const found = pick(all, account)
      if (found !== undefined) return found
      throw new PosternError('account.not_authorized', { detail: whyNot(all, account) })
    },
    async accountOfOrder(id, principal) {
      const account = await ofOrder({ id, principal }).catch(rethrowAsOutage)
      if (account === undefined) throw new PosternError('order.not_found')
      return account
    },
  }
}

/** The one that is named, or the only one. */
function pick(
  accounts: readonly TradedAccount[],
  named: string | undefined,
): TradedAccount | undefined {
  if (named !== undefined) return accounts.find(({ id }) => id === named)
  return accounts.length === 1 ? accounts[0] : undefined
}

function whyNot(accounts: readonly TradedAccount[], named: string | undefined): string {
  if (named !== undefined) {
    return 'The token may not trade this account, or there is none of this name.'
  }
  return accounts.length === 0
    ? 'The token may trade no account; an operator adds it as a trader of one.'
    : 'The token may trade several accounts; say which in `account`.'
}

/**
 * Of an account `t.account`: a look-up, for there may be as many limits as accounts. Accounts are
 * collated "C" and keys are not: compared as they are, no index would know the key.
 */
function messagesPerSecond(sql: Sql) {
  return sql`coalesce((
    select value::float8 from postern_limit
    where scope = 'account' and key = t.account collate "default"
      and name = 'messages_per_second' limit 1
  ), ${Number(limitDefaults.messages_per_second)}::float8)`
}

type NumberedAccount = TradedAccount & { readonly n: number }

async function readTradedBy(
  sql: Sql,
  principals: readonly Principal[],
): Promise<readonly (readonly TradedAccount[])[]> {
  const rows = await sql<NumberedAccount[]>`
    select w.n::integer, t.account as id, ${messagesPerSecond(sql)} as "messagesPerSecond"
    from unnest(${principals.map(({ issuer }) => issuer)}::text[],
      ${principals.map(({ subject }) => subject)}::text[]) with ordinality as w(issuer, subject, n)
    cross join lateral (
      select account from postern_account_trader
      where issuer = w.issuer and subject = w.subject order by account limit ${tradedMax}
    ) as t order by w.n, t.account`
  return rowsByKey(principals, rows)
}

type AskedOrder = { readonly id: string; readonly principal: Principal }

/** Undefined for one that is not there, or whose account the principal may not trade. */
export async function readOfOrders(
  sql: Sql,
  asked: readonly AskedOrder[],
): Promise<readonly (AccountOfOrder | undefined)[]> {
  const rows = await sql<(NumberedAccount & AccountOfOrder)[]>`
    select w.n::integer, t.account as id, o.status,
      ${messagesPerSecond(sql)} as "messagesPerSecond"
    from unnest(${asked.map(({ id }) => id)}::uuid[],
      ${asked.map(({ principal }) => principal.issuer)}::text[],
      ${asked.map(({ principal }) => principal.subject)}::text[])
      with ordinality as w(id, issuer, subject, n)
    cross join lateral (select account, status from postern_order where id = w.id limit 1) as o
    join postern_account_trader t on t.account = o.account
      and t.issuer = w.issuer and t.subject = w.subject`
  return rowsByKey(asked, rows).map(([account]) => account)
}

type Known<Value> = { readonly value: Value; readonly atMs: number }

function remembering<Value>(now: () => Date, ask: (principal: Principal) => Promise<Value>) {
  const known = new Map<string, Known<Value>>()

  async function readAnew(principal: Principal): Promise<Value> {
    const value = await ask(principal).catch(rethrowAsOutage)
    if (known.size >= rememberedMax) known.clear()
    known.set(subjectOf(principal), { value, atMs: now().getTime() })
    return value
  }

  function knownFor(principal: Principal, ms: number): Known<Value> | undefined {
    const entry = known.get(subjectOf(principal))
    return entry !== undefined && now().getTime() - entry.atMs < ms ? entry : undefined
  }

  return {
    read: async (principal: Principal): Promise<Value> =>
      knownFor(principal, freshMs)?.value ?? (await readAnew(principal)),
    /** What was read last; once it is no longer new it is asked for again, for the next time. */
    recall(principal: Principal): Value | undefined {
      const entry = knownFor(principal, recallMs)
      if (entry !== undefined && knownFor(principal, freshMs) === undefined) {
        readAnew(principal).catch(() => undefined)
      }
      return entry?.value
    },
  }
}
