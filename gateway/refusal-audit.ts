import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import type { PosternError } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { callerOf, type GatewayContext } from './context.ts'

/** Refusals alike within this time become one further record with their count. */
const foldMs = 1_000
/** Pairs of address and reason told apart within that time; the rest share one per reason. */
const foldsMax = 4_096

type Fold = {
  readonly record: AuditRecord
  /** Rejects when that record could not be written: then nobody was refused. */
  readonly durable: Promise<void>
  count: number
}

/**
 * Records refused callers (401, 403, 429). The first of a kind is durable before its answer;
 * those that follow from the same address for the same reason within a second are answered once
 * the first is durable, and counted into one record, so that a flood of refusals is not a flood of
 * commits. A count that cannot be written is kept until it can; when an answer of the log was lost
 * it may stand there twice.
 */
export type RefusalAudit = {
  /** Throws `audit.unavailable`: then the caller gets that answer instead. */
  record(c: GatewayContext, error: PosternError): Promise<void>
  /** Writes the counts, one last time. */
  close(): Promise<void>
}

export function refusalAudit(options: {
  readonly audit: AuditLog
  readonly log: Log
  readonly now: () => Date
}): RefusalAudit {
  const { audit, log, now } = options
  let folds = new Map<string, Fold>()
  let owed: readonly Fold[] = []
  let timer: ReturnType<typeof setTimeout> | undefined

  function record(c: GatewayContext, error: PosternError): Promise<void> {
    const reason = error.reason ?? error.code
    const pair = `${reason} ${c.get('clientAddress') ?? ''}`
    const key = folds.has(pair) || folds.size < foldsMax ? pair : reason
    const known = folds.get(key)
    if (known !== undefined) {
      known.count++
      return known.durable
    }
    const first = refusedRecord(c, error, reason, now())
    const fold = { record: first, durable: audit.append(first), count: 0 }
    folds.set(key, fold)
    fold.durable.catch(() => {
      // The next of its kind is a first one again.
      if (folds.get(key) === fold) folds.delete(key)
    })
    timer ??= setTimeout(() => void flush(), foldMs)
    return fold.durable
  }

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const counted = [...owed, ...folds.values()].filter((fold) => fold.count > 0)
    owed = []
    folds = new Map()
    const written = await Promise.allSettled(counted.map(writeCount))
    owed = [...owed, ...counted.filter((_, at) => written[at]?.status === 'rejected')]
    if (owed.length === 0) return
    const error = written.find((result) => result.status === 'rejected')?.reason
    log.error('audit.refusals_late', { records: owed.length, error })
    timer ??= setTimeout(() => void flush(), foldMs)
  }

  async function writeCount(fold: Fold): Promise<void> {
    const isRefused = await fold.durable.then(
      () => true,
      () => false,
    )
    if (isRefused) await audit.append(asCount(fold))
  }

  async function close(): Promise<void> {
    await flush()
    clearTimeout(timer)
    if (owed.length > 0) log.error('audit.refusals_lost', { records: owed.length })
  }

  /** What stands for many names none of their requests, and no address that is only one of many. */
  function asCount({ record: first, count }: Fold): AuditRecord {
    return {
      ...first,
      id: Bun.randomUUIDv7(),
      at: now(),
      requestId: undefined,
      traceparent: undefined,
      details: { ...first.details, count },
    }
  }

  return { record, close }
}

/** Of a request that met a fault of ours. */
export function failedRecord(c: GatewayContext, error: PosternError, at: Date): AuditRecord {
  const refused = refusedRecord(c, error, error.code, at)
  return { ...refused, type: 'request.failed', outcome: 'failed' }
}

function refusedRecord(
  c: GatewayContext,
  error: PosternError,
  reason: string,
  at: Date,
): AuditRecord {
  const principal = c.get('principal')
  return {
    id: Bun.randomUUIDv7(),
    type: 'access.refused',
    at,
    actor:
      principal === undefined
        ? undefined
        : {
            iss: principal.issuer,
            sub: principal.subject,
            kid: principal.keyId,
            jti: principal.tokenId,
          },
    clientAddress: c.get('clientAddress'),
    userAgent: callerOf(c).userAgent,
    requestId: c.get('requestId'),
    traceparent: c.get('traceparent'),
    target: `route/${c.req.method} ${c.get('routeTemplate') ?? ''}`,
    outcome: 'refused',
    reason,
    details: { code: error.code },
  }
}
