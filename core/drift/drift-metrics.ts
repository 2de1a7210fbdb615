import { Gauge, type Registry } from 'prom-client'

/** Part of `createMetrics`, which declares all. */
export function driftMetrics(registers: Registry[]) {
  return {
    driftFindings: new Gauge({
      name: 'postern_drift_findings',
      help: 'Differences between what is configured and what is that are open, as Postgres has them',
      labelNames: ['source', 'severity'],
      registers,
    }),
    driftLastCheck: new Gauge({
      name: 'postern_drift_last_check_timestamp_seconds',
      help: 'End of the last drift check that could judge its source; before the first, when it was scheduled',
      labelNames: ['source'],
      registers,
    }),
  }
}
