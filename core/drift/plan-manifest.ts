import { createHash } from 'node:crypto'
import { z } from 'zod'
import { environmentName } from './environment-name.ts'
import { jsonOf } from './json-of.ts'
import { PlanRefused } from './plan-error.ts'
import type { VerifiedBytes } from './sigstore-bundle.ts'

/** Hours after which a plan says nothing about today: a day, and two for a run that was late. */
const planHoursMax = 26
/** Minutes that the clock of whoever made the plan may be ahead of ours. */
const aheadMinutesMax = 5
const hourMs = 3_600_000

export const manifestFormat = 'postern-drift-plan/1'
/** Bytes; it has five short members. */
export const manifestBytesMax = 4_096

const manifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  madeAt: z.iso.datetime(),
  environment: environmentName,
  planSha256: z.string().regex(/^[0-9a-f]{64}$/),
  planBytes: z.int().min(1),
})

/** What was signed about a plan: when it was made, of what, and which bytes it is. */
export type PlanManifest = Omit<z.infer<typeof manifestSchema>, 'madeAt'> & {
  readonly madeAt: Date
}

export type ManifestRules = {
  readonly environment: string
  readonly now: Date
  /** When the newest plan that was judged before was made; an older one is no news. */
  readonly judgedUntil: Date | undefined
}

/**
 * Throws `PlanRefused` for a plan of another environment, an old one, one from the future, and one
 * that is older than what was judged before: each was signed once, and is of no use now.
 */
export function readManifest(signed: VerifiedBytes, rules: ManifestRules): PlanManifest {
  const parsed = manifestSchema.safeParse(jsonOf(signed.bytes))
  if (!parsed.success) {
    throw new PlanRefused('malformed', `The manifest is not of the form ${manifestFormat}.`)
  }
  const manifest = { ...parsed.data, madeAt: new Date(parsed.data.madeAt) }
  if (manifest.environment !== rules.environment) {
    throw new PlanRefused(
      'environment',
      `The plan is of another environment than ${rules.environment}.`,
    )
  }
  refuseAge(manifest.madeAt, rules)
  return manifest
}

function refuseAge(madeAt: Date, { now, judgedUntil }: ManifestRules): void {
  const made = madeAt.toISOString()
  const ageMs = now.getTime() - madeAt.getTime()
  if (ageMs < -aheadMinutesMax * 60_000) {
    throw new PlanRefused(
      'from_the_future',
      `The plan was made at ${made}, which is still to come.`,
    )
  }
  if (ageMs > planHoursMax * hourMs) {
    const detail = `The plan was made at ${made}, more than ${planHoursMax} hours ago.`
    throw new PlanRefused('stale', detail)
  }
  if (judgedUntil !== undefined && madeAt < judgedUntil) {
    const detail = `The plan was made at ${made}, before one that was judged already.`
    throw new PlanRefused('older_than_judged', detail)
  }
}

/** Throws `PlanRefused` for other bytes than those that were signed for: cut off, or swapped. */
export function refuseOtherPlan(manifest: PlanManifest, plan: Uint8Array): void {
  const isSame =
    plan.length === manifest.planBytes &&
    createHash('sha256').update(plan).digest('hex') === manifest.planSha256
  if (isSame) return
  throw new PlanRefused('digest', 'The plan is not the one that the manifest was signed for.')
}
