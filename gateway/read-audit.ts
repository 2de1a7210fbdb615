import type { Caller, Principal } from '#core/access/principal.ts'
import type { AuditLog } from '#core/audit/audit-log.ts'
import { callerRecord } from '#core/audit/record.ts'
import { callerOf, type GatewayContext } from './context.ts'

/** How long admitted reads of one caller are gathered into one record. */
const foldMs = 1_000
/** Reads in one record: it stays near 8 KiB, a leaf of the log that is still quick to read. */
const readsMax = 64
/**
 * Characters of their paths, after which no read is added: with one more path, as long as the
 * header block may be, a record still has its place in the log.
 */
const pathCharactersMax = 8_192
/** Callers gathered at once; one more ends the gathering early. */
const foldsMax = 2_048

type Fold = {
  readonly firstAt: Date
  readonly caller: Caller
  pathCharacters: number
  readonly reads: (readonly [number, string, string, number, string])[]
}

/** Records who read what, many reads of a caller in one `access.read` record. */
export type ReadAudit = {
  note(c: GatewayContext, status: number): void
  flush(): void
}

/**
 * `details.reads` holds, per read: milliseconds after the record's time, route, path, status and
 * request id.
 */
export function readAudit(options: {
  readonly audit: AuditLog
  readonly now: () => Date
}): ReadAudit {
  const { audit, now } = options
  // By identity: one token is one principal for as long as it is remembered.
  let folds = new Map<Principal, Map<string, Fold>>()
  let count = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function note(c: GatewayContext, status: number): void {
    const at = now()
    const fold = foldOf(c, at)
    fold.reads.push([
      at.getTime() - fold.firstAt.getTime(),
      c.get('routeTemplate'),
      c.req.path,
      status,
      c.get('requestId'),
    ])
    fold.pathCharacters += c.req.path.length
    if (fold.reads.length < readsMax && fold.pathCharacters < pathCharactersMax) return
    folds.get(fold.caller.principal)?.delete(fold.caller.clientAddress)
    count--
    write(fold)
  }

  function foldOf(c: GatewayContext, at: Date): Fold {
    const principal = c.get('principal')
    const address = c.get('clientAddress')
    const known = folds.get(principal)?.get(address)
    if (known !== undefined) return known
    if (count >= foldsMax) flush()
    const fold: Fold = { firstAt: at, caller: callerOf(c), pathCharacters: 0, reads: [] }
    const ofPrincipal = folds.get(principal) ?? new Map<string, Fold>()
    folds.set(principal, ofPrincipal.set(address, fold))
    count++
    timer ??= setTimeout(flush, foldMs)
    return fold
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const ended = folds
    folds = new Map()
    count = 0
    for (const ofPrincipal of ended.values()) for (const fold of ofPrincipal.values()) write(fold)
  }

  function write(fold: Fold): void {
    audit.note({
      ...callerRecord(fold.caller, {
        id: Bun.randomUUIDv7(),
        type: 'access.read',
        at: fold.firstAt,
        target: 'reads',
        outcome: 'ok',
        details: { reads: fold.reads },
      }),
      // It stands for many requests, each named in its read.
      requestId: undefined,
      traceparent: undefined,
    })
  }

  return { note, flush }
}
