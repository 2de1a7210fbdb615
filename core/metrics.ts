import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { driftMetrics } from './drift/drift-metrics.ts'
import { incidentMetrics } from './incident/incident-metrics.ts'
import { scheduleMetrics } from './schedule/schedule-metrics.ts'
import { secretMetrics } from './secret-metrics.ts'

/** Seconds; from a cached read to the slowest long poll. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
/** Seconds; from a no-op job to the longest timeout of a kind. */
const runBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300]
/** Seconds; from a call in the same database to a venue's longest timeout. */
const venueBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** Seconds; a market order's way to its fill, and an order that rests for hours. */
const fillBuckets = [0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600]

/**
 * Every metric, declared once. Labels come from closed sets: route template, method, status, code,
 * kind, zone, venue, a configured secret; never an id, an address or a subject.
 */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'postern_' })
  return {
    registry,
    ...gatewayMetrics(registers),
    ...jobMetrics(registers),
    ...orderMetrics(registers),
    ...venueMetrics(registers),
    ...marketMetrics(registers),
    ...processMetrics(registers),
    ...sequencerMetrics(registers),
    ...secretMetrics(registers),
    ...scheduleMetrics(registers),
    ...driftMetrics(registers),
    ...incidentMetrics(registers),
  }
}

export type Metrics = ReturnType<typeof createMetrics>

function gatewayMetrics(registers: Registry[]) {
  return {
    requestSeconds: new Histogram({
      name: 'postern_http_request_seconds',
      help: 'Time from the first byte of a request to its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: requestBuckets,
      registers,
    }),
    refusals: new Counter({
      name: 'postern_refusals_total',
      help: 'Requests refused, by error code',
      labelNames: ['code'],
      registers,
    }),
    admissionRefusals: new Counter({
      name: 'postern_admission_refusals_total',
      help: 'Requests that there was no place for: full, above the share of a subject, or last while others wait',
      labelNames: ['method', 'route', 'why'],
      registers,
    }),
    admissionLimit: new Gauge({
      name: 'postern_admission_limit_requests',
      help: 'Requests of a route that may be at work at once in this process, as last asked',
      labelNames: ['method', 'route'],
      registers,
    }),
    accepted: new Counter({
      name: 'postern_jobs_accepted_total',
      help: 'Jobs committed in Postgres',
      labelNames: ['kind'],
      registers,
    }),
    acceptBatch: new Histogram({
      name: 'postern_accept_batch_requests',
      help: 'Requests that shared one accepting commit',
      buckets: [1, 2, 4, 8, 16, 32],
      registers,
    }),
    accessFileRefused: new Counter({
      name: 'postern_access_file_refused_total',
      help: 'New versions of the access file that were refused; the old one stays in force',
      registers,
    }),
    issuerKeysAgeSeconds: new Gauge({
      name: 'postern_issuer_keys_age_seconds',
      help: 'Age of the newest key set fetched from the issuer that was refreshed longest ago',
      registers,
    }),
  }
}

function jobMetrics(registers: Registry[]) {
  return {
    dispatchFailures: new Counter({
      name: 'postern_dispatch_failures_total',
      help: 'Batches that the queue engine did not take; the sweeper sends them again',
      registers,
    }),
    redispatched: new Counter({
      name: 'postern_jobs_redispatched_total',
      help: 'Jobs given to the queue engine again',
      labelNames: ['why'],
      registers,
    }),
    finished: new Counter({
      name: 'postern_jobs_finished_total',
      help: 'Jobs with an outcome committed in Postgres',
      labelNames: ['kind', 'state'],
      registers,
    }),
    startSeconds: new Histogram({
      name: 'postern_job_start_seconds',
      help: 'Time from acceptance, or the end of the delay, to the start of the first attempt',
      labelNames: ['kind'],
      buckets: runBuckets,
      registers,
    }),
    runSeconds: new Histogram({
      name: 'postern_job_run_seconds',
      help: 'Time of one attempt, its commit included',
      labelNames: ['kind', 'outcome'],
      buckets: runBuckets,
      registers,
    }),
    attemptsFailed: new Counter({
      name: 'postern_job_attempts_failed_total',
      help: 'Attempts that ended in an outage or a bug and will be tried again or given up',
      labelNames: ['kind', 'code'],
      registers,
    }),
  }
}

function orderMetrics(registers: Registry[]) {
  return {
    ordersEntered: new Counter({
      name: 'postern_orders_entered_total',
      help: 'Orders stored, by what the checks decided: accepted, held or denied',
      labelNames: ['verdict'],
      registers,
    }),
    orderDenials: new Counter({
      name: 'postern_order_denials_total',
      help: 'Orders denied at their entry, by the first check that failed',
      labelNames: ['code'],
      registers,
    }),
    deskEntrySeconds: new Histogram({
      name: 'postern_desk_entry_seconds',
      help: 'Time from a valid order to the commit that decides it',
      buckets: requestBuckets,
      registers,
    }),
    orderFills: new Counter({
      name: 'postern_order_fills_total',
      help: 'Trades booked, by venue',
      labelNames: ['venue'],
      registers,
    }),
    orderFillSeconds: new Histogram({
      name: 'postern_order_fill_seconds',
      help: 'Time from an order to the commit of each of its fills, by type of order',
      labelNames: ['type'],
      buckets: fillBuckets,
      registers,
    }),
    orderQuarantined: new Counter({
      name: 'postern_order_quarantined_total',
      help: 'Reports of venues that cannot be, as their order stands',
      labelNames: ['code'],
      registers,
    }),
    reconcileMismatches: new Counter({
      name: 'postern_reconcile_mismatches_total',
      help: 'Differences to venues, each time they are found; healed are those that fills explained',
      labelNames: ['class', 'healed'],
      registers,
    }),
  }
}

function venueMetrics(registers: Registry[]) {
  return {
    venueCallSeconds: new Histogram({
      name: 'postern_venue_calls_seconds',
      help: 'Time of a call to a venue',
      labelNames: ['venue', 'call', 'outcome'],
      buckets: venueBuckets,
      registers,
    }),
    venueBreakerOpen: new Gauge({
      name: 'postern_venue_breaker_open',
      help: 'Breakers of a venue that are open or probe it; its orders wait',
      labelNames: ['venue'],
      registers,
    }),
  }
}

function marketMetrics(registers: Registry[]) {
  return {
    marketBreaker: new Gauge({
      name: 'postern_market_breaker',
      help: '1 for the status of the market-wide breaker, as the process knows that keeps the desk',
      labelNames: ['clock', 'status'],
      registers,
    }),
    marketStaleSeconds: new Gauge({
      name: 'postern_market_stale_seconds',
      help: 'Age of the newest data of the live market in its session, while it has open orders; else 0',
      registers,
    }),
  }
}

function processMetrics(registers: Registry[]) {
  return {
    canaryAgeSeconds: new Gauge({
      name: 'postern_canary_age_seconds',
      help: 'Age of the newest canary job that came through the queue',
      registers,
    }),
    auditLost: new Counter({
      name: 'postern_audit_lost_total',
      help: 'Audit records of the may class that could not be written',
      registers,
    }),
  }
}

function sequencerMetrics(registers: Registry[]) {
  return {
    auditLeader: new Gauge({
      name: 'postern_audit_leader',
      help: '1 while this process sequences the audit log',
      registers,
    }),
    auditLogSize: new Gauge({
      name: 'postern_audit_log_size',
      help: 'Records in the signed log, as its leader knows',
      registers,
    }),
    auditUnsequenced: new Gauge({
      name: 'postern_audit_unsequenced_records',
      help: 'Committed audit records that have no place in the log yet',
      registers,
    }),
    auditUnsequencedSeconds: new Gauge({
      name: 'postern_audit_unsequenced_seconds',
      help: 'Age of the oldest audit record without a place in the log',
      registers,
    }),
    auditUnpublishedSeconds: new Gauge({
      name: 'postern_audit_unpublished_seconds',
      help: 'For how long the log has held records that its published checkpoint does not cover',
      registers,
    }),
    auditUnwitnessedSeconds: new Gauge({
      name: 'postern_audit_unwitnessed_seconds',
      help: 'For how long published checkpoints have lacked the cosignatures that the policy asks for',
      registers,
    }),
    auditConflicts: new Counter({
      name: 'postern_audit_conflicts_total',
      help: 'Records set aside because the log holds their id with other bytes',
      registers,
    }),
    auditRefused: new Gauge({
      name: 'postern_audit_refused',
      help: '1 while the sequencer must not sign: the outside knows more of the log or another one',
      labelNames: ['reason'],
      registers,
    }),
    auditVerifiedSize: new Gauge({
      name: 'postern_audit_verified_size',
      help: 'Records of the published log that this process has read back and verified',
      registers,
    }),
    auditVerificationFailed: new Gauge({
      name: 'postern_audit_verification_failed',
      help: '1 while the published log is not what was signed or verified before',
      registers,
    }),
  }
}

/** The names that dashboards of secret stores look for: without our prefix, as nothing else is. */
