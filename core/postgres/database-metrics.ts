import { Gauge, Histogram, type Registry } from 'prom-client'
import type { ConnectionCount } from './pool-sockets.ts'

/** Seconds; from a commit on the same machine to the statement timeout. */
const commitBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Part of `createMetrics`, which declares all. */
export function databaseMetrics(registers: Registry[]) {
  const pools: { readonly pool: string; readonly count: () => ConnectionCount }[] = []
  return {
    /** `pool` is what it is for; several of one name are counted together. */
    watchPool: (pool: string, count: () => ConnectionCount) => void pools.push({ pool, count }),
    commitItems: new Histogram({
      name: 'postern_commit_batch_items',
      help: 'Requests, outcomes, orders or reports that shared one commit',
      labelNames: ['commit'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'postern_commit_seconds',
      help: 'Time of a commit that succeeded, from its first statement; the wait for it is not in it',
      labelNames: ['commit'],
      buckets: commitBuckets,
      registers,
    }),
    databaseConnections: new Gauge({
      name: 'postern_database_connections',
      help: 'Connections to Postgres by pool; busy ones owe an answer or are in a transaction',
      labelNames: ['pool', 'state'],
      registers,
      collect() {
        this.reset()
        for (const { pool, count } of pools) {
          const { idle, busy } = count()
          this.inc({ pool, state: 'idle' }, idle)
          this.inc({ pool, state: 'busy' }, busy)
        }
      },
    }),
  }
}
