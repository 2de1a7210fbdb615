import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit } from '../../postgres/group-commit.ts'
import { observedCommit } from '../../postgres/observed-commit.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import type { DeskConnection } from './desk-transaction.ts'
import { type Errand, intendOrders, type OrdersOfVenue } from './send-orders.ts'

/** Jobs whose intents share a commit; each has some dozens of orders. */
const jobsPerCommit = 16
const waitingMax = 10_000

export type IntentIntake = {
  /** `intendOrders` for one job, in a commit shared with others. */
  intend(orders: OrdersOfVenue): Promise<readonly Errand[]>
}

export function intentIntake(connection: DeskConnection): IntentIntake {
  const commits = groupCommit<OrdersOfVenue, readonly Errand[]>({
    run: (jobs) =>
      runOrSplit(
        jobs,
        observedCommit(connection, { name: 'intent' }, (batch: readonly OrdersOfVenue[]) =>
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
