import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import type { PosternError } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { callerOf, type GatewayContext } from './context.ts'

/** Refusals alike within this time become one further record with their count. */
const foldMs = 1_000
/** Pairs of address and reason told apart within that time; the rest share one per reason. */
const foldsMax = 4_096

type Fold = { readonly record: AuditRecord; count: number }

/**
 * Records refused callers (401, 403, 429). The first of a kind is durable before its answer;
 * those that follow from the same address for the same reason within a second are counted into
 * one record, so that a flood of refusals is not a flood of commits.
 */
export type RefusalAudit = {
  /** Throws `audit.unavailable`: then the caller gets that answer instead. */
  record(c: GatewayContext, error: PosternError): Promise<void> | undefined
  flush(): Promise<void>
}

export function refusalAudit(options: {
  readonly audit: AuditLog
  readonly log: Log
  readonly now: () => Date
}): RefusalAudit {
  const { audit, log, now } = options
  let folds = new Map<string, Fold>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function record(c: GatewayContext, error: PosternError): Promise<void> | undefined {
    const reason = error.reason ?? error.code
    const pair = `${reason} ${c.get('clientAddress') ?? ''}`
    const key = folds.has(pair) || folds.size < foldsMax ? pair : reason
    const fold = folds.get(key)
    if (fold !== undefined) {
      fold.count++
      return undefined
    }
    const first = refusedRecord(c, error, reason, now())
    folds.set(key, { record: first, count: 0 })
    timer ??= setTimeout(() => void flush(), foldMs)
    return audit.append(first)
  }

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const ended = folds
    folds = new Map()
    const counted = [...ended.values()].filter((fold) => fold.count > 0)
    const written = await Promise.allSettled(counted.map((fold) => audit.append(asCount(fold))))
    for (const result of written) {
      if (result.status === 'rejected') log.error('audit.refusals_lost', { error: result.reason })
    }
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

  return { record, flush }
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
