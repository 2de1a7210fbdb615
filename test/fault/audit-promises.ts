// Whether what was answered and done is in the log, once.
import { z } from 'zod'
import { readEntries } from './audit-forge.ts'
import type { Acknowledged } from './audit-load.ts'
import type { AuditStage } from './audit-stage.ts'

const entry = z.object({
  id: z.string(),
  type: z.string(),
  target: z.string(),
  req: z.string().optional(),
  replica: z.string(),
  epoch: z.int(),
  rseq: z.int(),
  details: z.looseObject({ count: z.number().optional() }).optional(),
})

/** What a published log holds, counted from its files alone. */
export type Census = {
  readonly entries: number
  readonly bytes: number
  readonly types: ReadonlyMap<string, number>
  readonly ids: ReadonlySet<string>
  /** Records by type and target, or by type and request where `access.refused`. */
  readonly counts: ReadonlyMap<string, number>
  /** Refusals that followed like ones within a second, and stand in those records' counts. */
  readonly folded: number
  /** An accepted job's record of a process that said up to which number it had settled. */
  readonly settledIndex: number | undefined
}

export async function takeCensus(folder: string, size: number): Promise<Census> {
  const types = new Map<string, number>()
  const counts = new Map<string, number>()
  let folded = 0
  const ids = new Set<string>()
  const newest = new Map<string, number>()
  let settledIndex: number | undefined
  let index = 0
  let bytes = 0
  for await (const body of readEntries(folder, size)) {
    const record = entry.parse(JSON.parse(decoder.decode(body)))
    const { id, type, target, req, replica, epoch, details } = record
    const start = `${replica} ${epoch}`
    add(types, type)
    add(counts, type === 'access.refused' ? `${type} ${req}` : `${type} ${target}`)
    if (type === 'access.refused') folded += details?.count ?? 0
    ids.add(id)
    if (type === 'job.accepted') newest.set(start, index)
    if (type === 'process.stopped') settledIndex = newest.get(start) ?? settledIndex
    index++
    bytes += body.length
  }
  return { entries: index, bytes, types, ids, counts, folded, settledIndex }
}

const decoder = new TextDecoder()

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** One line for each promise that does not hold. */
export async function judgeCensus(
  { sql }: AuditStage,
  census: Census,
  acknowledged: Acknowledged,
): Promise<{ readonly said: string; readonly broken: readonly string[] }> {
  const { counts, ids, entries } = census
  const notOnce = (names: readonly string[]) =>
    names.filter((name) => counts.get(name) !== 1).length
  const jobs = await sql<{ id: string; state: string }[]>`select id, state from postern_job`
  const accepted = [...acknowledged.jobs].map((id) => `job.accepted job/${id}`)
  const outcomes = jobs.map(({ id, state }) => `job.${state} job/${id}`)
  const refusals = acknowledged.refusals.map((request) => `access.refused ${request}`)
  // A gateway that stood still answers what came meanwhile within one second.
  const unnamed = refusals.filter((name) => !counts.has(name)).length
  const refusedTwice = refusals.filter((name) => (counts.get(name) ?? 0) > 1).length
  // Nobody is left to give the sequencer's own last record a place.
  const stored = await sql<{ entries: number; waiting: number }[]>`
    select (select count(*)::integer from postern_audit_entry) as entries,
      (select count(*)::integer from postern_audit_intake
        where convert_from(body, 'UTF8')::jsonb ->> 'replica' not like 'sequencer@%') as waiting`
  const broken = [
    [accepted.length === 0, 'nothing was accepted'],
    [notOnce(accepted) > 0, `${notOnce(accepted)} acceptances are not in the log exactly once`],
    [notOnce(outcomes) > 0, `${notOnce(outcomes)} outcomes are not in the log exactly once`],
    [refusedTwice > 0, `${refusedTwice} refusals are in the log more than once`],
    [
      unnamed > census.folded,
      `${unnamed} refusals are named by no record, ${census.folded} are counted in one`,
    ],
    [jobs.length !== accepted.length, `${jobs.length} jobs for ${accepted.length} answers`],
    [census.types.get('job.accepted') !== jobs.length, 'acceptances of jobs that are not there'],
    [ids.size !== entries, `${entries - ids.size} records are in the log twice`],
    [stored[0]?.entries !== entries, `${stored[0]?.entries} entries are stored`],
    [stored[0]?.waiting !== 0, `${stored[0]?.waiting} records have no place`],
  ] as const
  return {
    said:
      `${accepted.length} acceptances, ${outcomes.length} outcomes and ${refusals.length} ` +
      `refusals that were answered are in the log, each once`,
    broken: broken.flatMap(([isBroken, promise]) => (isBroken ? [promise] : [])),
  }
}
