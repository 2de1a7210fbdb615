import type { Sql } from 'postgres'
import { type Principal, subjectOf } from '../../access/principal.ts'
import { PosternError } from '../../errors.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { limitDefaults } from '../limits.ts'

/** How late a changed trader or rate is noticed. The transaction that enters an order asks again. */
const rememberMs = 2_000
const rememberedMax = 10_000
/** Of one statement. */
const keysMax = 256
const tradedMax = 1_000

export type TradedAccount = { readonly id: string; readonly messagesPerSecond: number }

/** Who trades what, for the questions in front of the transaction that decides. */
export type AccountDirectory = {
  /** The account that is asked for, or the only one; else throws `account.not_authorized`. */
  tradedAccount(principal: Principal, account: string | undefined): Promise<TradedAccount>
  /** The account of an order that the principal may trade; throws `order.not_found`. */
  accountOfOrder(id: string, principal: Principal): Promise<TradedAccount>
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
  const ofOrder = groupReads<AskedOrder, TradedAccount | undefined>({
    read: (asked) => readOfOrders(sql, asked),
    textOf: ({ id, principal }) => `${id} ${subjectOf(principal)}`,
    keysMax,
  })

  async function onlyAccountOf(principal: Principal): Promise<TradedAccount> {
    const [first, second] = await tradedBy(principal)
    if (first !== undefined && second === undefined) return first
    throw new PosternError('account.not_authorized', {
      detail:
        first === undefined
          ? 'The token may trade no account; an operator adds it as a trader of one.'
          : 'The token may trade several accounts; say which in `account`.',
    })
  }

  return {
    async tradedAccount(principal, account) {
      if (account === undefined) return await onlyAccountOf(principal)
      const traded = (await tradedBy(principal)).find(({ id }) => id === account)
      if (traded !== undefined) return traded
      throw new PosternError('account.not_authorized', {
        detail: 'The token may not trade this account, or there is none of this name.',
      })
    },
    async accountOfOrder(id, principal) {
      const account = await ofOrder({ id, principal }).catch(rethrowAsOutage)
      if (account === undefined) throw new PosternError('order.not_found')
      return account
    },
  }
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

async function readOfOrders(
  sql: Sql,
  asked: readonly AskedOrder[],
): Promise<readonly (TradedAccount | undefined)[]> {
  const rows = await sql<NumberedAccount[]>`
    select w.n::integer, t.account as id, ${messagesPerSecond(sql)} as "messagesPerSecond"
    from unnest(${asked.map(({ id }) => id)}::uuid[],
      ${asked.map(({ principal }) => principal.issuer)}::text[],
      ${asked.map(({ principal }) => principal.subject)}::text[])
      with ordinality as w(id, issuer, subject, n)
    cross join lateral (select account from postern_order where id = w.id limit 1) as o
    join postern_account_trader t on t.account = o.account
      and t.issuer = w.issuer and t.subject = w.subject`
  return rowsByKey(asked, rows).map(([account]) => account)
}

function remembering<Value>(now: () => Date, read: (principal: Principal) => Promise<Value>) {
  const known = new Map<string, { readonly value: Value; readonly until: number }>()
  return async (principal: Principal): Promise<Value> => {
    const key = subjectOf(principal)
    const entry = known.get(key)
    const nowMs = now().getTime()
    if (entry !== undefined && entry.until > nowMs) return entry.value
    const value = await read(principal).catch(rethrowAsOutage)
    if (known.size >= rememberedMax) known.clear()
    known.set(key, { value, until: nowMs + rememberMs })
    return value
  }
}
