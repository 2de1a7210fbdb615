import canonicalize from 'canonicalize'
import type { Actor, Caller, Principal } from '../access/principal.ts'
import { PosternError } from '../errors.ts'
import { invariant } from '../invariant.ts'

/**
 * The closed catalogue of audit records. `must`: no durable record, no action (503).
 * `may`: batched, at most a second late, and a loss is tolerated.
 */
export const auditTypes = {
  'access.refused': 'must',
  'access.read': 'may',
  'access.file_changed': 'must',
  'access.file_refused': 'must',
  'token.minted': 'must',
  'token.revoked': 'must',
  'secret.revoked': 'must',
  'revocation.lift_requested': 'must',
  'revocation.lifted': 'must',
  'job.accepted': 'must',
  'job.started': 'may',
  'job.completed': 'must',
  'job.failed': 'must',
  'job.cancelled': 'must',
  'job.retried': 'must',
  'queue.paused': 'must',
  'queue.resumed': 'must',
  'queue.drained': 'must',
  'trades.ingested': 'must',
  'score.calculated': 'must',
  'score.eligibility': 'must',
  'order.accepted': 'must',
  'order.held': 'must',
  'order.denied': 'must',
  'order.changed': 'must',
  'order.quarantined': 'must',
  'account.changed': 'must',
  'account.reconciled': 'must',
  'trading.state_changed': 'must',
  'trading.rearm_requested': 'must',
  'limit.changed': 'must',
  'instrument.changed': 'must',
  'market.changed': 'must',
  'market.ingested': 'must',
  'secret.read': 'must',
  'secret.adopted': 'must',
  'secret.changed': 'must',
  'secret.rotation_opened': 'must',
  'secret.rotation_moved': 'must',
  'secret.rotation_ended': 'must',
  'secret.reminder': 'must',
  'schedule.changed': 'must',
  'schedule.removed': 'must',
  'schedule.paused': 'must',
  'schedule.resumed': 'must',
  'schedule.fired': 'must',
  'schedule.skipped': 'must',
  'drift.opened': 'must',
  'drift.resolved': 'must',
  'drift.checked': 'must',
  'incident.opened': 'must',
  'incident.recovered': 'must',
  'audit.read': 'must',
  'audit.exported': 'must',
  'audit.void': 'must',
  'audit.frozen': 'must',
  'audit.keys_changed': 'must',
  'request.failed': 'may',
  'process.started': 'must',
  'process.heartbeat': 'must',
  'process.stopped': 'must',
} as const satisfies Record<string, 'must' | 'may'>

export type AuditType = keyof typeof auditTypes

export type AuditActor = {
  readonly iss: string
  readonly sub: string
  readonly kid: string
  readonly jti: string
}

export type AuditRecord = {
  /** UUIDv7; unordered intake may deliver a record twice under the same id. */
  readonly id: string
  readonly type: AuditType
  /** The writing process's clock. Order is the log's index, never this. */
  readonly at: Date
  /** Undefined for what Postern does by itself and for callers without a verified token. */
  readonly actor: AuditActor | undefined
  readonly clientAddress: string | undefined
  readonly userAgent: string | undefined
  readonly requestId: string | undefined
  readonly traceparent: string | undefined
  readonly target: string
  readonly outcome: 'ok' | 'refused' | 'failed'
  /** A rule, an error code or a reason code; never free text from a caller. */
  readonly reason: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined
}

const userAgentBytesMax = 256
/** C2SP tlog-tiles: an entry's length in its bundle is a uint16. */
const recordBytesMax = 65_535
/** UTF-8 takes up to three bytes for each UTF-16 code unit. */
const bytesPerUnitMax = 3

/** A record that a caller's request gave rise to. */
export function callerRecord(
  caller: Caller,
  record: Pick<AuditRecord, 'id' | 'type' | 'at' | 'target' | 'outcome'> &
    Partial<Pick<AuditRecord, 'reason' | 'details'>>,
): AuditRecord {
  return {
    reason: undefined,
    details: undefined,
    ...record,
    actor: actorOf(caller.principal),
    clientAddress: caller.clientAddress,
    userAgent: caller.userAgent,
    requestId: caller.requestId,
    traceparent: caller.traceparent,
  }
}

/** Of an operator at a terminal the name stands in the details. */
export function actorRecord(actor: Actor, record: Parameters<typeof callerRecord>[1]): AuditRecord {
  if (typeof actor !== 'string') return callerRecord(actor, record)
  return systemRecord({ ...record, details: { ...record.details, operator: actor } })
}

/** A principal is one object for as long as its token is remembered; so is its actor. */
const actors = new WeakMap<Principal, AuditActor>()

function actorOf(principal: Principal): AuditActor {
  const known = actors.get(principal)
  if (known !== undefined) return known
  const { issuer, subject, keyId, tokenId } = principal
  const actor = { iss: issuer, sub: subject, kid: keyId, jti: tokenId }
  actors.set(principal, actor)
  return actor
}

/** A record of something Postern did by itself. */
export function systemRecord(
  record: Pick<AuditRecord, 'id' | 'type' | 'at' | 'target' | 'outcome'> &
    Partial<Pick<AuditRecord, 'reason' | 'details' | 'requestId' | 'traceparent'>>,
): AuditRecord {
  return {
    reason: undefined,
    details: undefined,
    requestId: undefined,
    traceparent: undefined,
    ...record,
    actor: undefined,
    clientAddress: undefined,
    userAgent: undefined,
  }
}

/** Which of a process's records this is; a number that never shows up is a record that was lost. */
export type Numbering = {
  /** The process's name, and how many times one of that name has started. */
  readonly replica: string
  readonly epoch: number
  /** 0 for the record that says that the process has started. */
  readonly rseq: number
}

/**
 * The record's bytes as RFC 8785 JSON. The envelope is written member by member in sorted order,
 * which for well-formed strings equals what `canonicalize` makes at a fifth of the time.
 * Throws `audit.record_too_large` for what no log entry can hold.
 */
export function encodeAuditRecord(record: AuditRecord, numbering: Numbering): string {
  const { actor } = record
  const { replica, epoch, rseq } = numbering
  let text = '{'
  if (actor !== undefined) text += `"actor":${encodeActor(actor)},`
  if (record.details !== undefined) text += `"details":${encodeDetails(record.details)},`
  text += `"epoch":${epoch},"id":${quote(record.id)}`
  if (record.clientAddress !== undefined) text += `,"ip":${quote(record.clientAddress)}`
  text += `,"outcome":${quote(record.outcome)}`
  if (record.reason !== undefined) text += `,"reason":${quote(record.reason)}`
  text += `,"replica":${quote(replica)}`
  if (record.requestId !== undefined) text += `,"req":${quote(record.requestId)}`
  text += `,"rseq":${rseq},"target":${quote(record.target)}`
  if (record.traceparent !== undefined) text += `,"trace":${quote(record.traceparent)}`
  text += `,"ts":${quote(record.at.toISOString())},"type":${quote(record.type)}`
  if (record.userAgent !== undefined) text += `,"ua":${quote(shorten(record.userAgent))}`
  text += ',"v":1}'
  refuseHuge(text)
  return text
}

/** An integer of fewer digits is one that every reader holds. */
const manyDigits = /\d{16}/
/** From here on ECMAScript writes an exponent, and nobody takes the number for an integer. */
const exponentFrom = 1e21

function encodeDetails(details: unknown): string {
  const text = canonicalize(details)
  invariant(text !== undefined, 'audit details are JSON')
  return manyDigits.test(text) ? (canonicalize(withSafeIntegers(JSON.parse(text))) ?? text) : text
}

/**
 * Integers beyond ±(2^53 − 1), which readers disagree about and verifiers refuse, become decimal
 * text: a metric of a wallet may be any double, and no record may fail for it.
 */
function withSafeIntegers(value: unknown): unknown {
  if (typeof value === 'number') {
    const isWrittenOut = Number.isInteger(value) && Math.abs(value) < exponentFrom
    return isWrittenOut && !Number.isSafeInteger(value) ? String(value) : value
  }
  if (Array.isArray(value)) return value.map(withSafeIntegers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withSafeIntegers(member)]),
  )
}

function refuseHuge(text: string): void {
  if (text.length * bytesPerUnitMax <= recordBytesMax) return
  const bytes = Buffer.byteLength(text)
  if (bytes <= recordBytesMax) return
  throw new PosternError('audit.record_too_large', {
    detail: `The audit record of this would hold ${bytes} bytes; at most ${recordBytesMax} fit.`,
  })
}

const encodedActors = new WeakMap<AuditActor, string>()

function encodeActor(actor: AuditActor): string {
  const known = encodedActors.get(actor)
  if (known !== undefined) return known
  const { iss, jti, kid, sub } = actor
  const members = `"iss":${quote(iss)},"jti":${quote(jti)},"kid":${quote(kid)},"sub":${quote(sub)}`
  const encoded = `{${members}}`
  encodedActors.set(actor, encoded)
  return encoded
}

/** Printable ASCII without quote and backslash: nothing to escape. */
const plainText = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/

function quote(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** By bytes, and never through a character: RFC 8785 has no half ones. */
function shorten(userAgent: string): string {
  if (userAgent.length * bytesPerUnitMax <= userAgentBytesMax) return userAgent
  const { read } = encoder.encodeInto(userAgent, shortened)
  return userAgent.slice(0, read).toWellFormed()
}

const encoder = new TextEncoder()
const shortened = new Uint8Array(userAgentBytesMax)
