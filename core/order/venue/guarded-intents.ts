import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { IntentIntake } from '../desk/intent-intake.ts'
import type { OrdersOfAccount } from '../desk/send-orders.ts'
import type { GuardedVenue } from './guarded-venue.ts'

/**
 * Intends nothing that would not be sent: while its venue says so, an order stays `accepted`, where
 * it can be cancelled without the venue. What else the job's orders need goes its way.
 */
export function guardedIntents(
  intents: IntentIntake,
  options: { readonly sql: Sql; readonly venues: ReadonlyMap<string, GuardedVenue> },
): IntentIntake {
  const { sql, venues } = options
  /** An account that has orders keeps its venue. */
  const known = new Map<string, string>()

  async function venueOf(account: string): Promise<GuardedVenue | undefined> {
    const name = known.get(account)
    if (name !== undefined) return venues.get(name)
    const [row] = await sql<{ venue: string }[]>`
      select venue from postern_account where id = ${account}`.catch(rethrowAsOutage)
    if (row === undefined) return undefined
    known.set(account, row.venue)
    return venues.get(row.venue)
  }

  return {
    async intend(orders) {
      const venue = await venueOf(orders.account)
      const refusal = venue === undefined ? undefined : await refusalOf(venue, orders.account)
      if (refusal === undefined) return await intents.intend(orders)
      const others = await readOthers(sql, orders)
      if (others.length === 0) throw refusal
      return await intents.intend({ ...orders, ids: others })
    },
  }
}

async function refusalOf(venue: GuardedVenue, account: string): Promise<PosternError | undefined> {
  try {
    await venue.confirm(account)
    return undefined
  } catch (error) {
    if (error instanceof PosternError && error.code === 'venue.unavailable') return error
    throw error
  }
}

/** Those that are with the venue, or may be: their job is made anew when it is given up. */
async function readOthers(sql: Sql, { ids }: OrdersOfAccount): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_order
    where id = any(${[...ids]}::uuid[]) and status <> 'accepted'`.catch(rethrowAsOutage)
  return rows.map(({ id }) => id)
}
