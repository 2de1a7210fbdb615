import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds; from a file on the same disk to a store's longest timeout. */
const accessBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** Seconds; the promise is 60. */
const revocationBuckets = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120]

/** Of stores, rotations and revocations; part of `createMetrics`. */
export function secretMetrics(registers: Registry[]) {
  return {
    secretsAccessed: new Counter({
      name: 'secrets_accessed_total',
      help: 'Reads of a secret store, by secret',
      labelNames: ['backend', 'secret_name'],
      registers,
    }),
    secretAccessSeconds: new Histogram({
      name: 'secret_access_latency_seconds',
      help: 'Time of a read of a secret store',
      labelNames: ['backend'],
      buckets: accessBuckets,
      registers,
    }),
    secretStoreFailures: new Counter({
      name: 'postern_secret_store_failures_total',
      help: 'Reads that a secret store did not answer, or answered what is torn',
      labelNames: ['backend'],
      registers,
    }),
    secretCacheHits: new Counter({
      name: 'secrets_cache_hits_total',
      help: 'Secrets that were given from memory',
      registers,
    }),
    secretCacheMisses: new Counter({
      name: 'secrets_cache_misses_total',
      help: 'Secrets that had to be read, and those who waited for it',
      registers,
    }),
    secretsRotated: new Counter({
      name: 'secrets_rotated_total',
      help: 'Rotations that ended with every process on the new version, which its target lets in',
      labelNames: ['backend'],
      registers,
    }),
    secretAgeSeconds: new Gauge({
      name: 'postern_secret_age_seconds',
      help: 'Since the version in force is in force',
      labelNames: ['secret_name'],
      registers,
    }),
    secretDueSeconds: new Gauge({
      name: 'postern_secret_due_seconds',
      help: 'Until the next rotation is due; below zero: it is late',
      labelNames: ['secret_name'],
      registers,
    }),
    rotationStepFailures: new Counter({
      name: 'postern_rotation_step_failures_total',
      help: 'Steps of rotations that failed and are tried again, or that had a rotation undone',
      labelNames: ['step'],
      registers,
    }),
    revocationSeconds: new Histogram({
      name: 'postern_revocation_effective_seconds',
      help: 'From a revocation until what it names is refused everywhere, open sessions included',
      labelNames: ['class'],
      buckets: revocationBuckets,
      registers,
    }),
    revocationsPending: new Gauge({
      name: 'postern_revocations_pending_seconds',
      help: 'Age of the oldest revocation of a secret that is not refused everywhere yet; else 0',
      registers,
    }),
  }
}
