import { Counter, Gauge, type Registry } from 'prom-client'

/** How jobs stand that have not ended; part of `createMetrics`, which declares all. */
export function waitingMetrics(registers: Registry[]) {
  return {
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
