import { z } from 'zod'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditReader } from '#core/audit/read/audit-reader.ts'
import { makeReceipt, publishedTiles, readCheckpoint } from '#core/audit/read/make-receipt.ts'
import { type AuditType, callerRecord } from '#core/audit/record.ts'
import { objectKind } from '#core/audit/store/object-path.ts'
import { SourceUnreachable, type TileSource } from '#core/audit/store/tile-source.ts'
import { proveConsistency } from '#core/audit/tree/tile-proof.ts'
import { PosternError } from '#core/errors.ts'
import type { JobStore } from '#core/job/job-store.ts'
import { answer } from '../answer.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import {
  instantParameter,
  integerParameter,
  jobParams,
  readAnyScope,
  visibilityOf,
} from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageMax = 1_000
const pageDefault = 100
const textMax = 512
const prefix = '/internal/audit/'

/** Postgres takes no text with a NUL, and no record holds one in these members. */
const textParameter = z
  .string()
  .max(textMax)
  .refine((text) => !text.includes('\0'), 'holds a NUL')

export type AuditRouteDependencies = {
  readonly reader: AuditReader
  readonly audit: AuditLog
  readonly jobs: Pick<JobStore, 'find'>
  readonly now: () => Date
}

/** A tree size or an index, up to 2^53 − 1. */
const sizeParameter = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,15})$/, 'Expected a whole number')
  .transform(Number)
  .pipe(z.int().min(0))
  .meta({ type: 'integer', minimum: 0 })

/** What auditors read. Who reads records is recorded first: no record, no answer. */
export function auditRoutes(deps: AuditRouteDependencies): readonly Route[] {
  return [
    checkpointRoute(deps),
    entriesRoute(deps),
    receiptRoute(deps),
    consistencyRoute(deps),
    filesRoute(deps, 'tile/*', 'read-audit-tile'),
    filesRoute(deps, 'checkpoints/*', 'read-audit-checkpoint-of-size'),
    jobReceiptRoute(deps),
  ]
}

const noteAnswer = { description: 'C2SP tlog-checkpoint, signed', mediaType: 'text/plain' }
const proofAnswer = { description: 'C2SP tlog-proof', mediaType: 'text/plain' }
const textHeaders = { 'content-type': 'text/plain; charset=utf-8' }

function checkpointRoute({ reader }: AuditRouteDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: `${prefix}checkpoint`,
    zone: 'internal',
    scope: 'audit:read',
    operationId: 'read-audit-checkpoint',
    summary: 'The newest signed checkpoint of the audit log',
    answers: { 200: noteAnswer },
    refusals: ['audit.not_found', 'audit.unavailable'],
    async handle(c) {
      const newest = await reachable(readCheckpoint(sourceOf(reader)))
      if (newest === undefined) throw notFound('Nothing is published yet.')
      return c.body(newest.note, { status: 200, headers: textHeaders })
    },
  })
}

const entriesQuery = z.strictObject({
  from: sizeParameter.default(0).meta({ description: 'First index; the cursor of the next page' }),
  to: sizeParameter.optional().meta({ description: 'First index that is not wanted' }),
  limit: integerParameter(1, pageMax).default(pageDefault),
  subject: textParameter.optional(),
  type: textParameter.optional(),
  requestId: textParameter.optional(),
  since: instantParameter.optional(),
  until: instantParameter.optional(),
})

const entriesDocument = z.strictObject({
  entries: z.array(
    z.strictObject({
      index: z.int(),
      record: z.string().meta({ description: 'RFC 8785 JSON: the bytes that are hashed' }),
    }),
  ),
  next: z.int().optional().meta({ description: '`from` of the next page, if there is one' }),
})

function entriesRoute(deps: AuditRouteDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: `${prefix}entries`,
    zone: 'internal',
    scope: 'audit:read',
    operationId: 'list-audit-entries',
    summary: 'Records of the audit log, in its order',
    query: entriesQuery,
    answers: { 200: { description: 'One page', schema: entriesDocument } },
    refusals: ['audit.unavailable', 'database.unavailable'],
    async handle(c, { query }) {
      await recordRead(deps, c, 'entries', query)
      const { from, to, limit, ...filter } = query
      return answer(c, 200, await deps.reader.list({ from, to, limit }, filter))
    },
  })
}

function receiptRoute(deps: AuditRouteDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: `${prefix}records/:id/receipt`,
    zone: 'internal',
    scope: 'audit:read',
    operationId: 'read-audit-receipt',
    summary: 'Proof that a record is in the audit log',
    params: jobParams,
    answers: { 200: proofAnswer },
    refusals: ['audit.not_found', 'audit.unavailable', 'database.unavailable'],
    async handle(c, { params }) {
      await recordRead(deps, c, `record/${params.id}`, undefined)
      return await answerReceipt(c, deps, params.id)
    },
  })
}

/** The record of a job's acceptance bears the job's id. */
function jobReceiptRoute(deps: AuditRouteDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/jobs/:id/receipt',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'read-job-receipt',
    summary: 'Proof that the acceptance of a job is in the audit log',
    params: jobParams,
    answers: { 200: proofAnswer },
    refusals: ['job.not_found', 'audit.not_found', 'audit.unavailable', 'database.unavailable'],
    async handle(c, { params }) {
      const visibility = visibilityOf(c.get('principal'), readAnyScope)
      const job = await deps.jobs.find(params.id, visibility)
      if (job === undefined) throw new PosternError('job.not_found')
      return await answerReceipt(c, deps, params.id)
    },
  })
}

async function answerReceipt(
  c: GatewayContext,
  { reader }: AuditRouteDependencies,
  rec: string,
): Promise<Response> {
  const source = sourceOf(reader)
  const entry = await reader.find(rec)
  const receipt = entry && (await reachable(makeReceipt(source, entry.index)))
  // An order of milliseconds: the record waits for the sequencer, or its tree for publication.
  if (receipt === undefined) throw notFound('It is not in a published tree; ask again in a second.')
  return c.body(receipt, { status: 200, headers: textHeaders })
}

const consistencyDocument = z.strictObject({
  from: z.int(),
  to: z.int(),
  proof: z.array(z.string()).meta({ description: 'Base64 of 32 bytes each, RFC 9162 2.1.4' }),
})

function consistencyRoute({ reader }: AuditRouteDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: `${prefix}consistency`,
    zone: 'internal',
    scope: 'audit:read',
    operationId: 'prove-audit-consistency',
    summary: 'Proof that one tree of the audit log is the beginning of another',
    query: z.strictObject({ from: sizeParameter, to: sizeParameter }),
    answers: { 200: { description: 'The proof', schema: consistencyDocument } },
    refusals: ['audit.not_found', 'audit.unavailable'],
    async handle(c, { query: { from, to } }) {
      const source = sourceOf(reader)
      const size = (await reachable(readCheckpoint(source)))?.checkpoint.size ?? 0
      if (from > to || to > size) throw notFound(`The sizes must be in order and at most ${size}.`)
      const proof = await reachable(proveConsistency(from, to, publishedTiles(source)))
      const hashes = proof.map((hash) => Buffer.from(hash).toString('base64'))
      return answer(c, 200, { from, to, proof: hashes })
    },
  })
}

/** The files of C2SP tlog-tiles, for verifiers: `postern audit verify --log https://…/internal/audit/`. */
function filesRoute(deps: AuditRouteDependencies, path: string, operationId: string): Route {
  return defineRoute({
    method: 'GET',
    path: `${prefix}${path}`,
    zone: 'internal',
    scope: 'audit:read',
    operationId,
    summary: 'A file of the published audit log',
    hidden: true,
    answers: {},
    refusals: ['audit.not_found', 'audit.unavailable'],
    async handle(c) {
      const file = c.req.path.slice(prefix.length)
      const kind = objectKind(file)
      if (kind === undefined) throw notFound('No file of a log has that name.')
      if (kind === 'bundle') await recordRead(deps, c, file, undefined)
      const bytes = await reachable(sourceOf(deps.reader).read(file))
      if (bytes === undefined) throw notFound('That file is not published.')
      const type = kind === 'history' ? textHeaders['content-type'] : 'application/octet-stream'
      return c.body(new Uint8Array(bytes), { status: 200, headers: { 'content-type': type } })
    },
  })
}

async function recordRead(
  { audit, now }: AuditRouteDependencies,
  c: GatewayContext,
  what: string,
  details: Readonly<Record<string, unknown>> | undefined,
): Promise<void> {
  const type: AuditType = 'audit.read'
  const target = `audit/${what}`
  await audit.append(
    callerRecord(callerOf(c), {
      ...{ id: Bun.randomUUIDv7(), type, at: now(), target, outcome: 'ok' },
      ...(details === undefined ? {} : { details }),
    }),
  )
}

function sourceOf({ published }: AuditReader): TileSource {
  if (published !== undefined) return published
  throw new PosternError('audit.unavailable', {
    detail: 'This gateway knows no published log; set POSTERN_AUDIT_STORE.',
  })
}

async function reachable<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof SourceUnreachable)) throw cause
    throw new PosternError('audit.unavailable', { reason: cause.message, cause })
  }
}

function notFound(detail: string): PosternError {
  return new PosternError('audit.not_found', { detail })
}
