import type { Sql } from 'postgres'
import type { Principal } from '../../access/principal.ts'
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

/** Who trades what, for the questions in front of the transaction that decides. */
export type AccountDirectory = {
  /** The account that is asked for, or the only one; else throws `account.not_authorized`. */
  tradedAccount(principal: Principal, account: string | undefined): Promise<string>
  /** The account of an order that the principal may trade; throws `order.not_found`. */
  accountOfOrder(id: string, principal: Principal): Promise<string>
  /** Messages a second. */
  limitOf(account: string): Promise<number>
}

export function accountDirectory(sql: Sql, now: () => Date): AccountDirectory {
  const accounts = remembering<readonly string[]>(now)
  const limits = remembering<number>(now)
  const readTraded = groupReads<Principal, readonly string[]>({
    read: (principals) => readTradedBy(sql, principals),
    textOf: ({ issuer, subject }) => `${issuer} ${subject}`,
    keysMax,
  })
  const readLimit = groupReads<string, number>({
    read: (names) => readLimits(sql, names),
    textOf: (account) => account,
    keysMax,
  })

  async function tradedBy(principal: Principal): Promise<readonly string[]> {
    const { issuer, subject } = principal
    return await accounts(`${issuer} ${subject}`, () => readTraded(principal))
  }

  async function onlyAccountOf(principal: Principal): Promise<string> {
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
      if ((await tradedBy(principal)).includes(account)) return account
      throw new PosternError('account.not_authorized', {
        detail: 'The token may not trade this account, or there is none of this name.',
      })
    },
    async accountOfOrder(id, { issuer, subject }) {
      const [row] = await sql<{ account: string }[]>`
        select o.account from postern_order o
        join postern_account_trader t on t.account = o.account
          and t.issuer = ${issuer} and t.subject = ${subject}
        where o.id = ${id}`.catch(rethrowAsOutage)
      if (row === undefined) throw new PosternError('order.not_found')
      return row.account
    },
    limitOf: (account) => limits(account, () => readLimit(account)),
  }
}

async function readTradedBy(
  sql: Sql,
  principals: readonly Principal[],
): Promise<readonly (readonly string[])[]> {
  const rows = await sql<{ n: number; account: string }[]>`
    select w.n::integer, t.account
    from unnest(${principals.map(({ issuer }) => issuer)}::text[],
      ${principals.map(({ subject }) => subject)}::text[]) with ordinality as w(issuer, subject, n)
    cross join lateral (
      select account from postern_account_trader
      where issuer = w.issuer and subject = w.subject order by account limit ${tradedMax}
    ) as t order by w.n, t.account`
  return rowsByKey(principals, rows).map((own) => own.map(({ account }) => account))
}

async function readLimits(sql: Sql, accounts: readonly string[]): Promise<readonly number[]> {
  const rows = await sql<{ key: string; value: number }[]>`
    select l.key, l.value::float8 as value from unnest(${[...accounts]}::text[]) as w(key)
    cross join lateral (
      -- A look-up each: there are as many limits as accounts, and a join may read them all.
      select key, value from postern_limit
      where scope = 'account' and key = w.key and name = 'messages_per_second' limit 1) as l`
  const known = new Map(rows.map(({ key, value }) => [key, value]))
  return accounts.map((account) => known.get(account) ?? Number(limitDefaults.messages_per_second))
}

function remembering<Value>(now: () => Date) {
  const known = new Map<string, { readonly value: Value; readonly until: number }>()
  return async (key: string, read: () => Promise<Value>): Promise<Value> => {
    const entry = known.get(key)
    const nowMs = now().getTime()
    if (entry !== undefined && entry.until > nowMs) return entry.value
    const value = await read().catch(rethrowAsOutage)
    if (known.size >= rememberedMax) known.clear()
    known.set(key, { value, until: nowMs + rememberMs })
    return value
  }
}
