import { dispatcher } from '#core/job/dispatcher.ts'
import { accountDirectory } from '#core/order/desk/account-directory.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { intentIntake } from '#core/order/desk/intent-intake.ts'
import { marketReader } from '#core/order/desk/market-snapshot.ts'
import { orderIntake } from '#core/order/desk/order-intake.ts'
import { orderRequests } from '#core/order/desk/order-requests.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reportIntake } from '#core/order/desk/report-intake.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import type { Venue } from '#core/order/venue.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './open-services.ts'

/** One for each lane of orders, and as many for cancels and replacements beside them. */
const gatewayConnections = 8
/** One for each lane of reports, intents of several jobs, and the keeper. */
const workerConnections = 8
/** Of the paper venue; all its chances are drawn from it. */
const paperSeed = 1

function openConnection(
  foundation: Foundation,
  services: Services,
  connections: number,
): DeskConnection {
  const { queue, log, metrics, now, stack } = foundation
  const sql = foundation.database('desk', connections, { prefersIndexes: true })
  const dispatch = stack.adopt(dispatcher({ sql, queue, log, metrics }), (open) => open.close())
  return { sql, journal: services.journal, dispatch, now }
}

/** The gateway's half: what is asked of orders. */
export function openOrderDesk(foundation: Foundation, services: Services) {
  const connection = openConnection(foundation, services, gatewayConnections)
  const options = { ...connection, readMarket: marketReader(foundation.now) }
  const intake = foundation.stack.adopt(orderIntake(options), (open) => open.idle())
  return {
    connection,
    intake,
    requests: orderRequests(options),
    directory: accountDirectory(connection.sql, foundation.now),
  }
}

/**
 * The workers' half: venues, their reports, and what time and market bring about. Accounts are
 * reconciled before it returns, so that no order goes out on what a crash has left behind.
 */
export async function openVenueDesk(foundation: Foundation, services: Services) {
  const { now, log, stack } = foundation
  const connection = openConnection(foundation, services, workerConnections)
  const readMarket = marketReader(now)
  const entry = { ...connection, readMarket }
  const sql = foundation.database('paper', 4, { prefersIndexes: true })
  const paper = stack.adopt(
    paperVenue({
      sql,
      grouped: foundation.database('paper-orders', 1, { prefersIndexes: true }),
      rules: { ...paperDefaults, seed: paperSeed },
      ...paperMarkets({ sql, readMarket }),
    }),
    (open) => open.idle(),
  )
  const venues: ReadonlyMap<string, Venue> = new Map([[paper.name, paper]])
  const reports = stack.adopt(reportIntake(connection), (open) => open.idle())
  const reconcile = { desk: connection, reports, venues }
  for (const venue of venues.values()) {
    const stream = await venue.stream({
      onReport: (report) => reports.apply(report),
      onDisconnect: () => log.warn('venue.disconnected', { venue: venue.name }),
      onReconnect: () => {
        // The keeper reconciles by schedule anyway.
        reconcileVenue(venue.name).catch((error: unknown) =>
          log.warn('desk.not_reconciled', { venue: venue.name, error }),
        )
      },
    })
    stack.defer(() => stream.close())
    await reconcileVenue(venue.name)
  }

  async function reconcileVenue(venue: string): Promise<void> {
    const accounts = await connection.sql<{ id: string }[]>`
      select id from postern_account where venue = ${venue} order by id`
    const signal = new AbortController().signal
    for (const { id } of accounts) {
      await reconcileAccount(reconcile, { account: id, day: undefined, signal }).catch(
        // A venue that is away does not keep the workers from their other jobs; the keeper asks again.
        (error: unknown) => log.warn('desk.not_reconciled', { account: id, error }),
      )
    }
  }

  const keeper = startDeskKeeper({ entry, reconcile, paper, log })
  stack.defer(() => keeper.close())
  const intents = intentIntake(connection)
  return {
    connection,
    intents,
    reports,
    venues,
    reconcile,
    market: followMarket({ ...entry, paper }),
  }
}
