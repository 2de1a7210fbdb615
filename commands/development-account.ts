import type { Sql } from 'postgres'
import { developmentIssuer } from '#core/access/access-file.ts'

/** The one account of a laptop; it trades what is ingested, at the time of the last bar. */
const developmentAccount = 'paper'
const startingCash = '100000'

/** Made at the first start; what was traded since stays. */
export async function ensureDevelopmentAccount(sql: Sql, subject: string): Promise<void> {
  await sql`
    insert into postern_account (id, venue, clock, starting_cash, cash, is_short_allowed)
    values (${developmentAccount}, 'paper', 'replay', ${startingCash}, ${startingCash}, true)
    on conflict (id) do nothing`
  await sql`
    insert into postern_account_trader (account, issuer, subject)
    values (${developmentAccount}, ${developmentIssuer}, ${subject})
    on conflict do nothing`
}
