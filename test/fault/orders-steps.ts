import type { Sql } from 'postgres'
import { faultsOfHoldings, faultsOfOrders } from './orders-books.ts'
import type { Tally } from './orders-tally.ts'

/** A transaction takes its time at its start and may commit this much later. */
const commitSeconds = 60

export type StepChecks = {
  /** Looks at everything that has changed; a call while one is running adds one more. */
  check(): void
  idle(): Promise<void>
}

/** After each step: rows, events and holdings of one moment, as one snapshot shows them. */
export function stepChecks(sql: Sql, tally: Tally): StepChecks {
  const seen = new Map<string, number>()
  let running: Promise<void> | undefined
  let isWanted = false
  let since = new Date(0)

  async function step(): Promise<void> {
    const startedAt = new Date()
    await sql.begin('isolation level repeatable read read only', async (snapshot) => {
      const rows = await snapshot<{ id: string; seq: number }[]>`
        select id, seq from postern_order
        where updated_at > ${since}::timestamptz - make_interval(secs => ${commitSeconds})`
      const changed = rows.filter(({ id, seq }) => seen.get(id) !== seq)
      const ids = changed.map(({ id }) => id)
      const faults = [
        ...(await faultsOfOrders(snapshot, ids)),
        ...(await faultsOfHoldings(snapshot)),
      ]
      for (const fault of faults) tally.problem(`after a kill: ${fault}`)
      for (const { id, seq } of changed) seen.set(id, seq)
      tally.count('steps checked')
      tally.count('orders checked in steps', ids.length)
    })
    since = startedAt
  }

  async function steps(): Promise<void> {
    while (isWanted) {
      isWanted = false
      // Postgres may be away this moment; the next step looks at the same orders.
      await step().catch(() => tally.count('steps without a database'))
    }
    running = undefined
  }

  return {
    check() {
      isWanted = true
      running ??= steps()
    },
    async idle() {
      await running
    },
  }
}
