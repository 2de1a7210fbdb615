import type { Sql } from 'postgres'
import type { Delivery } from '#core/job/job-queue.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

/** A database with the logins of the processes; what they dispatch is only remembered. */
export async function openDeskDatabase() {
  const url = await (await sharedPostgres()).createDatabase()
  const pools: Sql[] = []

  function poolAt(at: string, role: DatabaseRole | undefined, max = 6): Sql {
    const plans = { prefersIndexes: role !== undefined }
    const options = { url: at, mode: 'development', applicationName: 'test', ...plans } as const
    const opened = connectPostgres({ ...options, role, max })
    pools.push(opened)
    return opened
  }

  const sql = poolAt(url, undefined)
  await migrate({ sql, queue: 'redis' })
  const sent: Delivery[] = []
  const dispatch: DeskConnection['dispatch'] = {
    send: (_outboxId, deliveries) => void sent.push(...deliveries),
    takeDispatched: () => [],
    giveBack: () => undefined,
    close: () => Promise.resolve(),
  }
  return {
    ...{ url, sql, poolAt, sent, dispatch, journal: testJournal() },
    gateway: poolAt(url, 'postern_gateway'),
    worker: poolAt(url, 'postern_worker'),
    close: () => Promise.all(pools.map((each) => each.end({ timeout: 1 }))),
  }
}
