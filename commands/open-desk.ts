import type { Sql } from 'postgres'
import { dispatcher } from '#core/job/dispatcher.ts'
import { accountDirectory } from '#core/order/desk/account-directory.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { intentIntake } from '#core/order/desk/intent-intake.ts'
import { marketReader } from '#core/order/desk/market-snapshot.ts'
import { orderIntake } from '#core/order/desk/order-intake.ts'
import { orderRequests } from '#core/order/desk/order-requests.ts'
import { type ReconcileOptions, reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import { reportIntake } from '#core/order/desk/report-intake.ts'
import { guardedIntents } from '#core/order/venue/guarded-intents.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './open-services.ts'
import { openVenues } from './open-venues.ts'

/** A commit of orders holds one; the rest are for cancels, replacements and look-ups beside it. */
const gatewayConnections = 8
/** A commit of reports and one of intents hold one each; the rest are for jobs and the keeper. */
const workerConnections = 8
/** Accounts that are reconciled at once: a venue that is away keeps each of them waiting. */
const reconciledAtOnce = 8

function openConnection(
  foundation: Foundation,
  services: Services,
  connections: number,
): DeskConnection {
  const { queue, log, metrics, tracing, now, stack } = foundation
  const sql = foundation.database('desk', connections, { prefersIndexes: true })
  const dispatch = stack.adopt(dispatcher({ sql, queue, log, metrics, tracing }), (open) =>
    open.close(),
  )
  return { sql, journal: services.journal, dispatch, now, metrics, tracing }
}

/** The gateway's half: what is asked of orders. */
export function openOrderDesk(foundation: Foundation, services: Services) {
  const connection = openConnection(foundation, services, gatewayConnections)
  const options = { ...connection, readMarket: marketReader(foundation.now) }
  const { stack } = foundation
  return {
    connection,
    intake: stack.adopt(orderIntake(options), (open) => open.idle()),
    requests: stack.adopt(orderRequests(options), (open) => open.idle()),
    directory: accountDirectory(connection.sql, foundation.now),
  }
}

/**
 * The workers' half: venues, their reports, and what time and market bring about. Accounts are
 * reconciled before it returns, so that no order goes out on what a crash has left behind.
 */
export async function openVenueDesk(foundation: Foundation, services: Services) {
  const { log, stack } = foundation
  const connection = openConnection(foundation, services, workerConnections)
  const entry = { ...connection, readMarket: marketReader(foundation.now) }
  const { paper, venues } = openVenues(foundation, entry.readMarket)
  const reports = stack.adopt(reportIntake(connection), (open) => open.idle())
  const reads = reconcileReads(connection.sql)
  const reconcile = { desk: connection, reports, venues, reads }
  for (const venue of venues.values()) {
    const reconcileAll = oneAtATime(() => reconcileVenue(reconcile, venue.name, log))
    const stream = await venue.stream({
      onReport: (report) => reports.apply(report),
      onDisconnect: () => log.warn('venue.disconnected', { venue: venue.name }),
      onReconnect: () => {
        // The keeper reconciles by schedule anyway.
        reconcileAll().catch((error: unknown) =>
          log.warn('desk.not_reconciled', { venue: venue.name, error }),
        )
      },
    })
    stack.defer(() => stream.close())
    await reconcileAll()
  }
  const keeper = startDeskKeeper({ entry, reconcile, paper, log })
  stack.defer(() => keeper.close())
  const intents = guardedIntents(intentIntake(connection), { sql: connection.sql, venues })
  return {
    connection,
    intents,
    reports,
    venues,
    reconcile,
    market: followMarket({ ...entry, paper }),
  }
}

async function reconcileVenue(
  options: ReconcileOptions,
  venue: string,
  log: Foundation['log'],
): Promise<void> {
  const accounts = await readAccounts(options.desk.sql, venue)
  const { signal } = new AbortController()
  for (let at = 0; at < accounts.length; at += reconciledAtOnce) {
    const reconciled = accounts.slice(at, at + reconciledAtOnce).map((account) =>
      reconcileAccount(options, { account, day: undefined, signal }).catch(
        // A venue that is away does not keep the workers from their other jobs; the keeper asks again.
        (error: unknown) => log.warn('desk.not_reconciled', { account, error }),
      ),
    )
    await Promise.all(reconciled)
  }
}

async function readAccounts(sql: Sql, venue: string): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from postern_account where venue = ${venue} order by id`
  return rows.map(({ id }) => id)
}

/** Asked for while it runs, it runs once more after that: many streams may be mended at once. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  function start(): Promise<void> {
    const started = run().finally(() => {
      if (running === started) running = undefined
    })
    running = started
    return started
  }

  return () => {
    if (running === undefined) return start()
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }
}
