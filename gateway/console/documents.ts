import * as z from 'zod/mini'

// What the console reads of the gateway's answers; members that it does not show are left out, and
// those that come later do no harm.

const text = z.string()
const count = z.number()

export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(text, z.object({ ok: z.boolean(), detail: z.optional(text) })),
})

const queueSchema = z.object({
  kind: text,
  paused: z.boolean(),
  accepted: count,
  running: count,
  failed: count,
  oldestAcceptedAt: z.optional(text),
  engine: z.optional(z.record(text, count)),
})
export type Queue = z.output<typeof queueSchema>
export const queuesSchema = z.object({ queues: z.array(queueSchema) })

export const jobSchema = z.object({
  id: text,
  kind: text,
  state: text,
  issuer: text,
  subject: text,
  tag: z.optional(text),
  priority: count,
  notBefore: z.optional(text),
  attemptsMax: count,
  timeoutMs: count,
  callbackUrl: z.optional(text),
  requestId: text,
  traceparent: z.optional(text),
  acceptedAt: text,
  startedAt: z.optional(text),
  finishedAt: z.optional(text),
  dispatch: count,
  attempt: count,
  result: z.optional(z.unknown()),
  problem: z.optional(z.unknown()),
})
export type Job = z.output<typeof jobSchema>
export const jobsSchema = z.object({ jobs: z.array(jobSchema), next: z.optional(text) })
/** What a job keeps of its problem, as far as it is a line of a list. */
export const jobProblemSchema = z.object({ title: text, detail: z.optional(text) })
export const cancelSchema = z.object({ outcome: text, run: text })

const recoverySchema = z.object({
  class: text,
  incidents: count,
  open: count,
  recovered: count,
  mttr_seconds: z.nullable(count),
  worst_seconds: z.nullable(count),
})
export type Recovery = z.output<typeof recoverySchema>
export const incidentsSchema = z.object({
  incidents: z.array(
    z.object({
      id: text,
      class: text,
      state: text,
      reason: text,
      started_at: text,
      recovered_at: z.nullable(text),
      seconds: count,
    }),
  ),
  summary: z.object({ days: count, classes: z.array(recoverySchema) }),
})

const switchSchema = z.object({
  scope: text,
  key: text,
  state: text,
  reason: text,
  until: z.nullable(text),
  set_by: text,
  set_at: text,
  rearm_by: z.nullable(text),
})
export type Switch = z.output<typeof switchSchema>
const marketSchema = z.object({
  clock: text,
  time: z.nullable(text),
  index_symbol: z.nullable(text),
  breaker: z.nullable(
    z.object({
      status: text,
      level: z.nullable(count),
      halted_until: z.nullable(text),
      prior_close_cents: z.nullable(count),
      index_cents: z.nullable(count),
      index_time: z.nullable(text),
    }),
  ),
})
export type Market = z.output<typeof marketSchema>
export const tradingSchema = z.object({
  switches: z.array(switchSchema),
  markets: z.array(marketSchema),
})
export const haltSchema = z.object({ state: text, canceled: count, canceling: count, left: count })
export const rearmSchema = z.object({ status: text })
export const accountsSchema = z.object({
  accounts: z.array(
    z.object({
      id: text,
      venue: text,
      clock: text,
      cash: text,
      reserved: text,
      open_orders: count,
      reconciled_at: z.nullable(text),
    }),
  ),
})
const orderSchema = z.object({
  id: text,
  account: text,
  client_order_id: text,
  symbol: text,
  side: text,
  type: text,
  time_in_force: text,
  quantity: text,
  limit_price: z.optional(text),
  status: text,
  filled_quantity: text,
  filled_average_price: z.optional(text),
  reject_code: z.optional(text),
  reject_details: z.array(text),
  received_at: text,
})
export type Order = z.output<typeof orderSchema>
export const ordersSchema = z.object({ orders: z.array(orderSchema), next: z.optional(text) })

export const rankingSchema = z.object({
  scores: z.array(
    z.object({
      wallet: text,
      trustScore: text,
      cohortSize: count,
      endDate: text,
      scoredAt: text,
    }),
  ),
  next: z.optional(text),
})

const ratio = z.nullable(count)
const share = z.nullable(text)
export const scoreSchema = z.object({
  wallet: text,
  algorithmVersion: text,
  costBasis: text,
  endDate: text,
  windowDays: count,
  status: text,
  reasons: z.array(z.object({ code: text, detail: text })),
  dataQuality: z.array(text),
  trustScore: share,
  performanceScore: share,
  riskPenalty: share,
  normalised: z.nullable(z.object({ sharpe: text, roiPercent: text, drawdownPercent: text })),
  dsr: ratio,
  history: z.object({ trades: count, tradesInWindow: count, unmatchedSales: count, failed: count }),
  books: z.object({ realisedUsd: text, unrealisedUsd: text, feesUsd: text, capitalUsd: text }),
  metrics: z.object({
    netRoiPercent: share,
    sharpe: ratio,
    sortino: ratio,
    psr: ratio,
    maxDrawdown: ratio,
    volatility: ratio,
    winRate: ratio,
    profitFactor: ratio,
    recoveryDaysMax: ratio,
    returns: count,
  }),
  equity: z.array(z.object({ date: text, equityUsd: text })),
  cohort: z.nullable(z.object({ id: text, size: count, screened: count })),
  jobId: text,
  scoredAt: text,
})
export type Score = z.output<typeof scoreSchema>

const secretSchema = z.object({
  name: text,
  kind: z.nullable(text),
  current_version: text,
  rotation_days: count,
  rotated_at: z.nullable(text),
  due_at: text,
  is_due: z.boolean(),
  rotation: z.nullable(
    z.object({ step: text, attempts: count, error: z.nullable(text), opened_at: text }),
  ),
  used_by: z.array(
    z.object({
      process: text,
      role: text,
      host: text,
      version: z.nullable(text),
      proved_at: z.nullable(text),
      is_proved: z.boolean(),
    }),
  ),
})
export type Secret = z.output<typeof secretSchema>
export const secretsSchema = z.object({ secrets: z.array(secretSchema) })
export const rotationSchema = z.object({ id: text, name: text, step: text })

const scheduleSchema = z.object({
  name: text,
  kind: text,
  cron: text,
  time_zone: text,
  misfire: text,
  overlap: text,
  source: text,
  paused: z.boolean(),
  paused_at: z.nullable(text),
  paused_by: z.nullable(text),
  next_runs: z.array(text),
})
export type Schedule = z.output<typeof scheduleSchema>
export const schedulesSchema = z.object({ schedules: z.array(scheduleSchema) })
export const runSchema = z.object({
  id: text,
  slot: text,
  cause: text,
  outcome: text,
  job_id: z.nullable(text),
  job_state: z.nullable(text),
  requested_by: z.nullable(text),
  at: text,
})
export const runsSchema = z.object({ runs: z.array(runSchema), next: z.optional(text) })

const findingSchema = z.object({
  id: text,
  fingerprint: text,
  source: text,
  address: text,
  attribute: text,
  kind: text,
  severity: text,
  summary: text,
  state: text,
  first_seen_at: text,
  last_seen_at: text,
  resolved_at: z.nullable(text),
  opened_count: count,
})
export const findingsSchema = z.object({
  findings: z.array(findingSchema),
  next: z.optional(text),
})

export const entriesSchema = z.object({
  entries: z.array(z.object({ index: count, record: text })),
  next: z.optional(count),
})
const recordSchema = z.object({
  type: text,
  ts: text,
  target: text,
  outcome: text,
  reason: z.optional(text),
  req: z.optional(text),
  replica: z.optional(text),
  actor: z.optional(z.object({ sub: text, iss: text })),
  details: z.optional(z.unknown()),
})
export type AuditEntry = { readonly index: number } & z.output<typeof recordSchema>

/** A record is text that is hashed as it stands; one that is not read is shown by its index alone. */
export function entryOf(entry: { readonly index: number; readonly record: string }): AuditEntry {
  const read = recordSchema.safeParse(JSON.parse(entry.record))
  const unread = { type: 'not read', ts: '', target: '', outcome: '' }
  return { index: entry.index, ...(read.success ? read.data : unread) }
}
