import type { Sql } from 'postgres'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { IntentIntake } from '../desk/intent-intake.ts'
import type { AdvanceOrdersPayload } from '../kinds.ts'
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

  async function refusedAccounts({
    venue: name,
    orders,
  }: AdvanceOrdersPayload): Promise<ReadonlySet<string>> {
    const venue = venues.get(name)
    if (venue === undefined) return new Set()
    const accounts = [...new Set(orders.map(({ account }) => account))]
    const areReady = await Promise.all(accounts.map((account) => isReady(venue, account)))
    return new Set(accounts.filter((_, at) => areReady[at] === false))
  }

  return {
    async intend(asked) {
      const { venue, orders } = asked
      const refused = await refusedAccounts(asked)
      if (refused.size === 0) return await intents.intend(asked)
      const ready = orders.filter(({ account }) => !refused.has(account))
      const kept = orders.filter(({ account }) => refused.has(account))
      const rest = [...ready, ...(await readOthers(sql, kept))]
      return rest.length === 0 ? [] : await intents.intend({ venue, orders: rest })
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
async function readOthers(
  sql: Sql,
  orders: AdvanceOrdersPayload['orders'],
): Promise<AdvanceOrdersPayload['orders']> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_order where id = any(${orders.map(({ id }) => id)}::uuid[])
      and status <> 'accepted'`.catch(rethrowAsOutage)
  const others = new Set(rows.map(({ id }) => id))
  return orders.filter(({ id }) => others.has(id))
}
