import { createHash } from 'node:crypto'
import { z } from 'zod'
import { severities } from './drift-policy.ts'

/** What is compared: a plan that CI made, one made here, and what runs. */
export const driftSources = ['plan', 'terraform', 'runtime'] as const
export type DriftSource = (typeof driftSources)[number]

/**
 * Changed outside Terraform, configured and not applied, deleted outside; a source that gave nothing
 * to judge; what runs and is not what is configured.
 */
const findingKinds = ['drift', 'change', 'gone', 'unread', 'differs'] as const

export const driftVerdicts = ['clean', 'noise', 'drift', 'error'] as const

export const findingSchema = z.strictObject({
  address: z.string(),
  attribute: z.string(),
  kind: z.enum(findingKinds),
  severity: z.enum(severities),
  summary: z.string(),
})
export type Finding = Readonly<z.infer<typeof findingSchema>>

/** What one look at one source came to. */
export type DriftReport = {
  readonly source: DriftSource
  /** `error`: it could not be judged; what was open stays open. */
  readonly verdict: (typeof driftVerdicts)[number]
  readonly findings: readonly Finding[]
  /** Differences that mean nothing. */
  readonly noise: number
  /** Of an error, from a closed set. */
  readonly reason?: string
  /** Of a signed plan. */
  readonly planMadeAt?: Date
}

/**
 * The same for the same finding of the same deployment, from run to run: lower-case hex. A tuple in
 * JSON, so that no two of them run into each other.
 */
export function fingerprintOf(
  deployment: string,
  source: DriftSource,
  { address, attribute, kind }: Pick<Finding, 'address' | 'attribute' | 'kind'>,
): string {
  const tuple = JSON.stringify([deployment, source, address, attribute, kind])
  return createHash('sha256').update(tuple).digest('hex')
}
