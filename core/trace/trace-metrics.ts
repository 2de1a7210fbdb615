import { Counter, type Registry } from 'prom-client'

/** Part of `createMetrics`, which declares all. */
export function traceMetrics(registers: Registry[]) {
  return {
    tracesExported: new Counter({
      name: 'postern_traces_exported_total',
      help: 'Spans that the collector has taken',
      registers,
    }),
    tracesDropped: new Counter({
      name: 'postern_traces_dropped_total',
      help: 'Spans that no collector will see, by why: the buffer was full, it refused them, the process ended',
      labelNames: ['reason'],
      registers,
    }),
  }
}
