import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds; the promise is 60 for the mean of a class, and 300 for any. */
const recoveryBuckets = [1, 2.5, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 3600]

/** Part of `createMetrics`, which declares all. */
export function incidentMetrics(registers: Registry[]) {
  return {
    incidentsOpen: new Gauge({
      name: 'postern_incidents_open',
      help: '1 while the service cannot serve, by class, as this process sees it or Postgres has it',
      labelNames: ['class'],
      registers,
    }),
    incidents: new Counter({
      name: 'postern_incidents_total',
      help: 'Incidents opened',
      labelNames: ['class'],
      registers,
    }),
    incidentRecoverySeconds: new Histogram({
      name: 'postern_incident_recovery_seconds',
      help: 'From the first failing sight of an incident to the first good one of its end',
      labelNames: ['class'],
      buckets: recoveryBuckets,
      registers,
    }),
    answers: new Counter({
      name: 'postern_http_answers_total',
      help: 'Answers of the zones v1 and internal: given, overloaded (refused for it), failed (5xx)',
      labelNames: ['outcome'],
      registers,
    }),
  }
}
