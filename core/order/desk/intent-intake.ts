import { PosternError } from '../../errors.ts'
import { type GroupCommit, groupCommit, type Settled } from '../../postgres/group-commit.ts'
import type { DeskConnection } from './desk-transaction.ts'
import { type Errands, intendOrders, type OrdersOfAccount } from './send-orders.ts'

/** Jobs whose intents share a commit; each has some dozens of orders. */
const jobsPerCommit = 16
const lanes = 1
const waitingMax = 10_000

export type IntentIntake = {
  /** `intendOrders` for one job, in a commit shared with others of its lane. */
  intend(orders: OrdersOfAccount): Promise<Errands>
}

/** Intents of several jobs at once: an account's lock is taken for all of them together. */
export function intentIntake(connection: DeskConnection): IntentIntake {
  const run = async (jobs: readonly OrdersOfAccount[]): Promise<readonly Settled<Errands>[]> => {
    const errands = await intendOrders(connection, jobs)
    return errands.map((value) => ({ ok: true, value }))
  }
  const commits = Array.from(
    { length: lanes },
    (): GroupCommit<OrdersOfAccount, Errands> =>
      groupCommit({
        run,
        batchMax: jobsPerCommit,
        inFlightMax: 1,
        waitingMax,
        refuse: () =>
          new PosternError('database.unavailable', { reason: 'too many intents waiting' }),
      }),
  )
  return {
    intend(orders) {
      const chosen = commits[Number(BigInt(Bun.hash(orders.account)) % BigInt(lanes))]
      if (chosen === undefined) throw new Error('invariant: every account has a lane')
      return chosen.submit(orders)
    },
  }
}
