import { dispatcher } from '#core/job/dispatcher.ts'
import { startDeskKeeper } from '#core/order/desk/desk-keeper.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { intentIntake } from '#core/order/desk/intent-intake.ts'
import { marketReader, type ReadMarket } from '#core/order/desk/market-snapshot.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { type ReconcileOptions, reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import { reportIntake } from '#core/order/desk/report-intake.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import type { Foundation } from '../../commands/foundation.ts'
import type { Services } from '../../commands/open-services.ts'
import { hostileReports, hostileVenue } from './order-hostile-venue.ts'
import { type Pass, tell } from './order-kill-plan.ts'

const lossRate = 0.03
const duplicateRate = 0.1
const lateMsMax = 300
/** Half a cent a share, so that cash is never what a price alone makes it. */
const feePerShare = 5_000_000n

export type WorkerChance = { readonly seed: number; readonly life: number; readonly pass: Pass }

function openPaper(
  foundation: Foundation,
  readMarket: ReadMarket,
  { seed, life }: Pick<WorkerChance, 'seed' | 'life'>,
) {
  const sql = foundation.database('paper', 4)
  return foundation.stack.adopt(
    paperVenue({
      sql,
      grouped: foundation.database('paper-orders', 1),
      rules: { ...paperDefaults, feePerShare, feeBasisPoints: 1, seed },
      ...paperMarkets({ sql, readMarket }),
      faults: {
        seed: seed * 1_000_033 + life,
        loseAck: lossRate,
        loseSubmit: lossRate,
        duplicateReport: duplicateRate,
        delayMs: [0, lateMsMax],
      },
    }),
    (open) => open.idle(),
  )
}

/** A worker's desk put together as `work` does it, with a hostile venue and deadly reports. */
export function openWorkerDesk(
  foundation: Foundation,
  { journal }: Services,
  chance: WorkerChance,
) {
  const { now, log, stack, queue, metrics } = foundation
  const sql = foundation.database('desk', 8, { prefersIndexes: true })
  const dispatch = stack.adopt(dispatcher({ sql, queue, log, metrics }), (open) => open.close())
  const connection = { sql, journal, dispatch, now }
  const readMarket = marketReader(now)
  const entry = { ...connection, readMarket }
  const paper = openPaper(foundation, readMarket, chance)
  const venue = hostileVenue(paper, chance.pass)
  const inner = stack.adopt(reportIntake(connection), (open) => open.idle())
  const reports = hostileReports(inner, chance.pass)
  const venues = new Map([[venue.name, venue]])
  const reads = reconcileReads(connection.sql)
  const options = { desk: connection, intents: intentIntake(connection), reports, venues, reads }
  return {
    ...options,
    market: followMarket({ ...entry, paper }),
    /** Hears the venue and tends the accounts; both are the orders' part. */
    async listen(): Promise<void> {
      const stream = await venue.stream({
        onReport: (report) => reports.apply(report),
        onDisconnect: () => tell('disconnected'),
        onReconnect: () => void reconcileAll(options),
      })
      stack.defer(() => stream.close())
      await reconcileAll(options)
      const keeper = startDeskKeeper({ entry, reconcile: options, paper, log })
      stack.defer(() => keeper.close())
    },
  }
}

export type WorkerDesk = ReturnType<typeof openWorkerDesk>

async function reconcileAll(options: ReconcileOptions): Promise<void> {
  const { sql } = options.desk
  const accounts = await sql<{ id: string }[]>`select id from postern_account order by id`.catch(
    () => [],
  )
  const { signal } = new AbortController()
  for (const { id } of accounts) {
    await reconcileAccount(options, { account: id, day: undefined, signal }).catch(() => {
      tell('not-reconciled')
    })
  }
}
