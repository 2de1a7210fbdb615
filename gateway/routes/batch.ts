import { z } from 'zod'
import type { AccessControl } from '#core/access/access-control.ts'
import type { Principal } from '#core/access/principal.ts'
import { type PointedError, PosternError } from '#core/errors.ts'
import type { Intake, NewJob } from '#core/job/intake.ts'
import type { JobKind } from '#core/job/kind.ts'
import { batchBytesMax, batchJobsMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { type BodyStream, streamBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { receiptDocument } from '../job-document.ts'
import { idempotencyOf, jobRequest, newJob, type RequestLimits } from '../job-request.ts'
import { pointedErrors } from '../pointed-errors.ts'
import { defineRoute, type Route } from '../route.ts'
import { decodeUtf8, parseStrictJson, parseStrictText } from '../strict-json.ts'
import { acceptRefusals } from './enqueue.ts'

const jsonMediaType = 'application/json'
const linesMediaType = 'application/x-ndjson'
/** Faults named in one answer; a caller who has more has one of a kind. */
const errorsMax = 100

const item = z.looseObject({ kind: z.string() })

type KindEntry = {
  readonly kind: JobKind
  readonly scope: string
  readonly request: ReturnType<typeof jobRequest>
}

/** Many jobs in one commit: all are accepted or none, and every fault is named with its item. */
export function batchRoute(deps: {
  readonly access: AccessControl
  readonly kinds: readonly JobKind[]
  readonly intake: Intake
  readonly now: () => Date
}): Route {
  const { access, intake, now } = deps
  const entries = new Map<string, KindEntry>()
  for (const kind of deps.kinds) {
    if (kind.scope === undefined) continue
    entries.set(kind.name, { kind, scope: kind.scope, request: jobRequest(kind) })
  }
  const schema = itemSchema([...entries.values()])

  return defineRoute({
    method: 'POST',
    path: '/v1/jobs',
    zone: 'v1',
    scope: 'jobs:write:batch',
    operationId: 'enqueue-batch',
    summary: 'Enqueue many jobs, all or none',
    description: `1 to ${batchJobsMax} jobs, as a JSON array or one per line. Each item's kind also asks for that kind's own scope.`,
    headers: [
      {
        name: 'Idempotency-Key',
        description: 'The same key and body get the first answer again, never second jobs.',
      },
    ],
    body: streamBody({
      content: {
        [jsonMediaType]: { schema: z.array(schema).min(1).max(batchJobsMax) },
        [linesMediaType]: { schema },
      },
      bytesMax: batchBytesMax,
    }),
    answers: {
      202: {
        description: 'All accepted, in the order of the items',
        schema: z.strictObject({ jobs: z.array(receiptDocument) }),
      },
    },
    refusals: acceptRefusals,
    async handle(c, { body }) {
      const items = await readItems(body)
      const limits = { now: now(), callbackPrefixes: access.callbackPrefixes }
      const jobs = parseItems(items, entries, limits)
      refuseUnscoped(c.get('principal'), jobs, entries)
      const idempotency = idempotencyOf(c, items)
      const { receipts, replayed } = await intake.accept({ jobs, idempotency, caller: callerOf(c) })
      if (replayed) c.header('idempotent-replayed', 'true')
      return answer(c, 202, { jobs: receipts })
    },
  })
}

function itemSchema(entries: readonly KindEntry[]): z.ZodType {
  return z.union(entries.map(({ kind, request }) => request.extend({ kind: z.literal(kind.name) })))
}

async function readItems({ mediaType, bytes }: BodyStream): Promise<readonly unknown[]> {
  const body = await Bun.readableStreamToBytes(bytes)
  const items = mediaType === jsonMediaType ? parseStrictJson(body) : parseLines(decodeUtf8(body))
  if (Array.isArray(items) && items.length >= 1 && items.length <= batchJobsMax) return items
  throw new PosternError('request.body_invalid', {
    detail: `A batch is a list of 1 to ${batchJobsMax} jobs.`,
  })
}

/** A line too many is not parsed: it is only there to be counted. */
function parseLines(text: string): readonly unknown[] {
  const lines = text.split('\n', batchJobsMax + 2)
  if (lines.at(-1) === '') lines.pop()
  return lines.slice(0, batchJobsMax + 1).map((line, at) => {
    try {
      return parseStrictText(line)
    } catch (cause) {
      const detail = cause instanceof PosternError ? cause.detail : undefined
      throw new PosternError('request.malformed', { detail: `Line ${at + 1}: ${detail}`, cause })
    }
  })
}

function parseItems(
  items: readonly unknown[],
  entries: ReadonlyMap<string, KindEntry>,
  limits: RequestLimits,
): readonly NewJob[] {
  const jobs: NewJob[] = []
  const errors: PointedError[] = []
  for (const [at, value] of items.entries()) {
    const job = parseItem(value, { entries, limits, pointer: `/${at}` })
    if ('length' in job) errors.push(...job)
    else jobs.push(job)
    if (errors.length >= errorsMax) break
  }
  if (errors.length === 0) return jobs
  throw new PosternError('request.body_invalid', { errors: errors.slice(0, errorsMax) })
}

function parseItem(
  value: unknown,
  context: {
    readonly entries: ReadonlyMap<string, KindEntry>
    readonly limits: RequestLimits
    readonly pointer: string
  },
): NewJob | readonly PointedError[] {
  const { entries, limits, pointer } = context
  const named = item.safeParse(value)
  if (!named.success) return pointedErrors(named.error, pointer)
  const { kind: name, ...rest } = named.data
  const entry = entries.get(name)
  if (entry === undefined) return [{ pointer: `${pointer}/kind`, detail: 'No such job kind' }]
  const request = entry.request.safeParse(rest)
  if (!request.success) return pointedErrors(request.error, pointer)
  const job = newJob(entry.kind, request.data, limits)
  if (!('length' in job)) return job
  return job.map((error) => ({ ...error, pointer: `${pointer}${error.pointer}` }))
}

function refuseUnscoped(
  principal: Principal,
  jobs: readonly NewJob[],
  entries: ReadonlyMap<string, KindEntry>,
): void {
  for (const { kind } of jobs) {
    const scope = entries.get(kind.name)?.scope
    if (scope !== undefined && principal.scopes.has(scope)) continue
    throw new PosternError('access.scope_missing', {
      detail: `The kind ${kind.name} needs the scope ${scope}.`,
      reason: 'scope.missing',
    })
  }
}
