import type { Principal } from '../../access/principal.ts'
import { PosternError } from '../../errors.ts'
import type { DeskSql } from './read-rows.ts'

export type Trader = Pick<Principal, 'issuer' | 'subject'>

/** Accounts named in a refusal: enough to pick from. */
const namedMax = 20

/**
 * What a caller may read: the accounts it may trade, or the one of them that it names. An account
 * of somebody else is as absent as one that never was: `account.not_found`.
 */
export async function tradedAccounts(
  sql: DeskSql,
  { issuer, subject }: Trader,
  account: string | undefined,
): Promise<readonly string[]> {
  const rows = await sql<{ account: string }[]>`
    select account from postern_account_trader
    where issuer = ${issuer} and subject = ${subject}
      ${account === undefined ? sql`` : sql`and account = ${account}`}
    order by account`
  if (account !== undefined && rows.length === 0) throw accountNotFound()
  return rows.map((row) => row.account)
}

/** The same where an answer is of one account; `request.query_invalid` names those to choose from. */
export async function tradedAccount(
  sql: DeskSql,
  trader: Trader,
  account: string | undefined,
): Promise<string> {
  const accounts = await tradedAccounts(sql, trader, account)
  const [only, second] = accounts
  if (only === undefined) throw accountNotFound()
  if (second === undefined) return only
  const named = accounts.slice(0, namedMax).join(', ')
  throw new PosternError('request.query_invalid', {
    detail: `The token may trade several accounts; say which in \`account\`: ${named}.`,
  })
}

export function accountNotFound(): PosternError {
  return new PosternError('account.not_found', {
    detail: 'There is no account of this name that the token may trade.',
  })
}
