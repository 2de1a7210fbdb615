import { Counter, Histogram, type Registry } from 'prom-client'

/** Seconds; from a tick in time to a night without workers. */
const latenessBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 43_200]

/** Part of `createMetrics`, which declares all. */
export function scheduleMetrics(registers: Registry[]) {
  return {
    scheduleSlots: new Counter({
      name: 'postern_schedule_slots_total',
      help: 'Slots of schedules that were decided, by kind of job and what became of them',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    scheduleLatenessSeconds: new Histogram({
      name: 'postern_schedule_lateness_seconds',
      help: 'Time from a slot to the commit that accepted its job',
      labelNames: ['kind'],
      buckets: latenessBuckets,
      registers,
    }),
    scheduleDrift: new Counter({
      name: 'postern_schedule_drift_total',
      help: 'Schedulers of the queue engine that were not as Postgres has them, and were mended',
      labelNames: ['what'],
      registers,
    }),
  }
}
