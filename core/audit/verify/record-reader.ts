import { z } from 'zod'
import { type AuditRecord, auditTypes, type Numbering } from '../record.ts'
import { findCanonicalFault } from './canonical-json.ts'

/** A record as the log holds it: the record, and which one of its process it is. */
export type LoggedRecord = AuditRecord & Numbering

/** What the records that keep a process's numbers whole say about them. */
export type Settlement = {
  /** Every number up to this one is stored or void; -1 where none is. */
  readonly settled?: number
  /** Numbers, both ends included, whose transaction did not commit or may not have. */
  readonly voided?: readonly (readonly [number, number])[]
  /** The start of the same process before this one. */
  readonly previous?: number
}

export type RecordReading =
  | { readonly record: LoggedRecord; readonly settlement: Settlement }
  | { readonly problem: string }

const userAgentUnitsMax = 256
/** How much of a problem is said: an unknown member's name is a stranger's text. */
const problemLettersMax = 200

const number = z.int().min(0)
const text = z.string()

const recordForm = z.strictObject({
  actor: z.strictObject({ iss: text, jti: text, kid: text, sub: text }).optional(),
  details: z.record(text, z.unknown()).optional(),
  epoch: number,
  id: text.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  ip: text.optional(),
  outcome: z.enum(['ok', 'refused', 'failed']),
  reason: text.optional(),
  replica: text.min(1),
  req: text.optional(),
  rseq: number,
  target: text,
  trace: text.optional(),
  ts: text.refine(isInstant),
  type: z.custom<AuditRecord['type']>(isType),
  ua: text.max(userAgentUnitsMax).optional(),
  v: z.literal(1),
})

const settledForm = z.object({ settled: z.int().min(-1) })
const startedForm = z.object({ previous: number.optional() }).transform(({ previous }) =>
  // Absent and undefined are two things here.
  previous === undefined ? {} : { previous },
)
const voidForm = z.object({
  ranges: z.array(z.tuple([number, number]).refine(([from, to]) => from <= to)).min(1),
})

/**
 * Reads an entry of the log and forgives nothing: RFC 8785 bytes, every member known, every value
 * of its form, a type of the catalogue. Never throws; the problem is one line.
 */
export function readRecord(bytes: Uint8Array): RecordReading {
  const fault = findCanonicalFault(bytes)
  if (fault !== undefined) return { problem: `not canonical JSON at byte ${fault}` }
  const parsed = recordForm.safeParse(JSON.parse(utf8.decode(bytes)))
  if (!parsed.success) return { problem: describe(parsed.error) }
  const record = recordOf(parsed.data)
  const settlement = settlementOf(record)
  return 'problem' in settlement ? settlement : { record, settlement }
}

const utf8 = new TextDecoder()

function recordOf(form: z.infer<typeof recordForm>): LoggedRecord {
  return {
    id: form.id,
    type: form.type,
    at: new Date(form.ts),
    actor: form.actor,
    clientAddress: form.ip,
    userAgent: form.ua,
    requestId: form.req,
    traceparent: form.trace,
    target: form.target,
    outcome: form.outcome,
    reason: form.reason,
    details: form.details,
    replica: form.replica,
    epoch: form.epoch,
    rseq: form.rseq,
  }
}

function settlementOf(record: LoggedRecord): Settlement | { readonly problem: string } {
  switch (record.type) {
    case 'process.heartbeat':
    case 'process.stopped': {
      const { data, error } = settledForm.safeParse(record.details ?? {})
      return data ?? { problem: describe(error, 'details') }
    }
    case 'process.started': {
      const { data, error } = startedForm.safeParse(record.details ?? {})
      return data ?? { problem: describe(error, 'details') }
    }
    case 'audit.void': {
      const { data, error } = voidForm.safeParse(record.details ?? {})
      return data === undefined ? { problem: describe(error, 'details') } : { voided: data.ranges }
    }
    default:
      return nothing
  }
}

const nothing: Settlement = {}

function isType(type: unknown): boolean {
  return typeof type === 'string' && Object.hasOwn(auditTypes, type)
}

function isInstant(instant: string): boolean {
  const date = new Date(instant)
  return !Number.isNaN(date.getTime()) && date.toISOString() === instant
}

function describe(error: z.ZodError, within?: string): string {
  const [issue] = error.issues
  const member = [within, ...(issue?.path ?? [])].filter((step) => step !== undefined).join('.')
  const said = `${member === '' ? 'record' : member}: ${issue?.message ?? 'not of its form'}`
  return JSON.stringify(said.slice(0, problemLettersMax)).slice(1, -1)
}
