import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { observedCommit } from '../../postgres/observed-commit.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import type { AdvanceOrdersPayload } from '../kinds.ts'
import type { DeskConnection } from './desk-transaction.ts'
import { type Errand, intendOrders } from './send-orders.ts'

/** Jobs whose intents share a commit; each has some dozens of orders. */
const jobsPerCommit = 16
const waitingMax = 10_000

export type IntentIntake = {
  /** `intendOrders` for one job, in a commit shared with others. */
  intend(job: AdvanceOrdersPayload): Promise<readonly Errand[]>
}

export function intentIntake(connection: DeskConnection): IntentIntake {
  const commits = groupCommit<AdvanceOrdersPayload, readonly Errand[]>({
    run: (jobs) =>
      runOrSplit(
        jobs,
        observedCommit(connection, { name: 'intent' }, (batch: readonly AdvanceOrdersPayload[]) =>
          intendOrders(connection, batch),
        ),
        (error) => databaseOutage(error) !== undefined,
      ),
    batchMax: jobsPerCommit,
    inFlightMax: 1,
    waitingMax,
    refuse: () => new PosternError('database.unavailable', { reason: 'too many intents waiting' }),
  })
  return { intend: commits.submit }
}
