import { z } from 'zod'
import { jsonOf } from './json-of.ts'
import { PlanRefused } from './plan-error.ts'

/** Bytes; a plan of some thousand resources has ten MiB. */
export const planBytesMax = 50 * 1_048_576
/** Blocks within blocks; providers' schemas end at a dozen. */
const depthMax = 100
/** Resources; ten times what one state should hold. */
const resourcesMax = 20_000
const addressCharactersMax = 1_024

/** Of printable characters: it is stored, recorded and printed. */
const name = z
  .string()
  .min(1)
  .max(addressCharactersMax)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u)
const attributes = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/), z.unknown())

const change = z.looseObject({
  actions: z
    .array(z.enum(['no-op', 'create', 'read', 'update', 'delete', 'forget']))
    .min(1)
    .max(2),
  before: attributes.nullish(),
  after: attributes.nullish(),
  after_unknown: z.union([z.boolean(), attributes]).nullish(),
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
})

const resource = z.looseObject({
  address: name,
  mode: z.enum(['managed', 'data']),
  type: name,
  change,
})
export type PlannedResource = z.infer<typeof resource>

const planSchema = z.looseObject({
  format_version: z.string(),
  complete: z.boolean(),
  errored: z.boolean(),
  /** Missing, not empty, where nothing drifted. */
  resource_drift: z.array(resource).max(resourcesMax).default([]),
  resource_changes: z.array(resource).max(resourcesMax).default([]),
})
export type Plan = Pick<z.infer<typeof planSchema>, 'resource_drift' | 'resource_changes'>

/**
 * `terraform show -json` of a plan. Throws `PlanRefused` for what is none, or for one that did not
 * come to its end: what it does not show may be what changed.
 */
export function readPlan(bytes: Uint8Array): Plan {
  const header = headerSchema.safeParse(parseBounded(bytes))
  if (!header.success) throw new PlanRefused('malformed', 'The plan is no JSON object of a plan.')
  refuseUnfinished(header.data)
  const parsed = planSchema.safeParse(header.data)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = issue?.path.join('.') ?? ''
    throw new PlanRefused('malformed', `The plan is not as Terraform writes it, at ${path}.`)
  }
  const { resource_drift, resource_changes } = parsed.data
  if (resource_changes.length === 0) {
    throw new PlanRefused('empty', 'The plan knows of no resource: of another state, or of none.')
  }
  return { resource_drift, resource_changes }
}

const headerSchema = z.looseObject({
  format_version: z.string(),
  complete: z.unknown().optional(),
  errored: z.unknown().optional(),
})

/** What is not said counts as bad: an old Terraform that says neither is too old. */
function refuseUnfinished(plan: z.infer<typeof headerSchema>): void {
  if (!/^1\.\d+$/.test(plan.format_version)) {
    throw new PlanRefused(
      'unknown_format',
      'The plan is of a format that this binary does not know.',
    )
  }
  if (plan.errored !== false) throw new PlanRefused('errored', 'The plan ended with an error.')
  if (plan.complete !== true) throw new PlanRefused('incomplete', 'The plan is not complete.')
}

function parseBounded(bytes: Uint8Array): unknown {
  if (bytes.length > planBytesMax) {
    throw new PlanRefused('too_large', `The plan has more than ${planBytesMax} bytes.`)
  }
  refuseDeep(bytes)
  const value = jsonOf(bytes)
  if (value === undefined) throw new PlanRefused('malformed', 'The plan is cut off, or no JSON.')
  return value
}

const quote = 0x22
const backslash = 0x5c
/** Of `[` and `{`, and of `]` and `}`: they differ in one bit only. */
const opening = 0x5b
const closing = 0x5d
const withoutBrace = ~0x20

/** Before the parser's own stack is asked. */
function refuseDeep(bytes: Uint8Array): void {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === quote) at = endOfText(bytes, at)
    else if ((byte & withoutBrace) === opening) depth++
    else if ((byte & withoutBrace) === closing) depth--
    if (depth > depthMax) {
      throw new PlanRefused('malformed', `The plan nests deeper than ${depthMax} levels.`)
    }
  }
}

/** The place of the quote that ends what begins at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}
