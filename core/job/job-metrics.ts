import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds; 0.1 is the objective's bound (deploy/prometheus/slo.yaml). */
const acceptBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** How jobs stand that have not ended; part of `createMetrics`, which declares all. */
export function waitingMetrics(registers: Registry[]) {
  return {
    acceptSeconds: new Histogram({
      name: 'postern_accept_seconds',
      help: 'Time from a valid request for jobs to the commit that accepts them',
      buckets: acceptBuckets,
      registers,
    }),
    unfinished: new Gauge({
      name: 'postern_jobs_unfinished',
      help: 'Jobs without an outcome, as Postgres has them; a run below 250 ms counts as waiting. Told by one process at a time: take the maximum',
      labelNames: ['kind', 'state'],
      registers,
    }),
    oldestWaitingSeconds: new Gauge({
      name: 'postern_jobs_oldest_waiting_seconds',
      help: 'Since the job that has waited longest could have begun; 0 when none waits. Told by one process at a time: take the maximum',
      labelNames: ['kind'],
      registers,
    }),
    outboxRows: new Gauge({
      name: 'postern_outbox_rows',
      help: 'Accepted batches whose dispatch is not known to be done. Told by one process at a time: take the maximum',
      registers,
    }),
    outboxOldestSeconds: new Gauge({
      name: 'postern_outbox_oldest_seconds',
      help: 'Age of the oldest batch in the outbox; below a second while all is well. Told by one process at a time: take the maximum',
      registers,
    }),
    stalled: new Counter({
      name: 'postern_jobs_stalled_total',
      help: 'Runs whose worker went silent; the queue engine gave their jobs to another',
      labelNames: ['kind'],
      registers,
    }),
  }
}
