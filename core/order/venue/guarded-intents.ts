import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { IntentIntake } from '../desk/intent-intake.ts'
import type { OrdersOfAccount } from '../desk/send-orders.ts'
import type { GuardedVenue } from './guarded-venue.ts'

/**
 * Intends nothing that would not be sent: while its venue refuses, an order stays `accepted`, where
 * it can be cancelled without the venue, and whoever keeps the desk has it tried again in a minute.
 * What else the orders need goes its way.
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
      if (venue === undefined || (await isReady(venue, orders.account))) {
        return await intents.intend(orders)
      }
      const ids = await readOthers(sql, orders)
      if (ids.length === 0) return { venue: venue.name, errands: [] }
      return await intents.intend({ ...orders, ids })
    },
  }
}

/** Why not is told by the venue's own log lines: its keys are missing, or a breaker has opened. */
async function isReady(venue: GuardedVenue, account: string): Promise<boolean> {
  try {
    await venue.confirm(account)
    return true
  } catch (error) {
    if (error instanceof PosternError && error.code === 'venue.unavailable') return false
    throw error
  }
}

/** Those that are with the venue, or may be. */
async function readOthers(sql: Sql, { ids }: OrdersOfAccount): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_order
    where id = any(${[...ids]}::uuid[]) and status <> 'accepted'`.catch(rethrowAsOutage)
  return rows.map(({ id }) => id)
}
