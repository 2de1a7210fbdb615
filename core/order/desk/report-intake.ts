import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit, type Settled } from '../../postgres/group-commit.ts'
import { observedCommit } from '../../postgres/observed-commit.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import type { VenueReport } from '../venue.ts'
import { applyReports } from './apply-reports.ts'
import type { DeskConnection } from './desk-transaction.ts'

/** Reports that share a commit. One transaction for all accounts is cheaper than one for each. */
const reportsPerCommit = 256
const waitingMax = 20_000

export type ReportIntake = {
  /**
   * Resolves once the report has taken effect, or is known to have before, or stands in
   * quarantine: in each case it is durable and need not come again. Throws an outage.
   */
  apply(report: VenueReport): Promise<void>
  idle(): Promise<void>
}

/** Takes what venues report: at least once, in any order, from several processes at once. */
export function reportIntake(connection: DeskConnection): ReportIntake {
  const commits = groupCommit<VenueReport, void>({
    run: (reports) => applyBatch(connection, reports),
    batchMax: reportsPerCommit,
    inFlightMax: 1,
    waitingMax,
    refuse: () => new PosternError('database.unavailable', { reason: 'too many reports waiting' }),
  })
  return { apply: commits.submit, idle: commits.idle }
}

async function applyBatch(
  connection: DeskConnection,
  reports: readonly VenueReport[],
): Promise<readonly Settled<void>[]> {
  return await runOrSplit(
    reports,
    observedCommit(connection, { name: 'report' }, async (batch: readonly VenueReport[]) => {
      await applyReports(connection, batch)
      return batch.map(() => undefined)
    }),
    (error) => databaseOutage(error) !== undefined,
  )
}
