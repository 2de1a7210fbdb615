import type { TransactionSql } from 'postgres'
import type { DeskSql } from './read-rows.ts'
import type { Trader } from './traded-accounts.ts'

type TraderRow = Trader & { readonly account: string }

/** Who may trade these accounts, by account. */
export async function readTraders(
  sql: DeskSql,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, readonly Trader[]>> {
  const rows = await sql<TraderRow[]>`
    select account, issuer, subject from postern_account_trader
    where account = any(${[...accounts]}::text[]) order by account, issuer, subject`
  const byAccount = Map.groupBy(rows, ({ account }) => account)
  return new Map(
    [...byAccount].map(([account, traders]) => [
      account,
      traders.map(({ issuer, subject }) => ({ issuer, subject })),
    ]),
  )
}

/** Makes these the account's traders, and no others. Its row is locked. */
export async function storeTraders(
  sql: TransactionSql,
  account: string,
  traders: readonly Trader[],
): Promise<{ readonly added: readonly Trader[]; readonly removed: readonly Trader[] }> {
  const issuers = traders.map(({ issuer }) => issuer)
  const subjects = traders.map(({ subject }) => subject)
  const removed = await sql<Trader[]>`
    delete from postern_account_trader t where account = ${account} and not exists (
      select from unnest(${issuers}::text[], ${subjects}::text[]) as w(issuer, subject)
      where w.issuer = t.issuer and w.subject = t.subject)
    returning issuer, subject`
  const added = await sql<Trader[]>`
    insert into postern_account_trader (account, issuer, subject)
    select ${account}, issuer, subject
    from unnest(${issuers}::text[], ${subjects}::text[]) as w(issuer, subject)
    on conflict do nothing returning issuer, subject`
  return { added: [...added], removed: [...removed] }
}
