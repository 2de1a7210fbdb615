// What the gate reads, as GitHub and the signer write it. Nothing here decides.
import { z } from 'zod'

const person = z.object({ __typename: z.string(), login: z.string().min(1) })
const moment = z.iso.datetime()
const commit = z.string().regex(/^[0-9a-f]{40}$/)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

const pullRequest = z.object({
  number: z.int().positive(),
  state: z.string(),
  isDraft: z.boolean(),
  baseRefName: z.string(),
  headRefName: z.string(),
  headRefOid: commit,
  headRepository: z.object({ nameWithOwner: z.string() }).nullable(),
  author: person.nullable(),
  reviews: z.object({
    totalCount: z.int().nonnegative(),
    nodes: z.array(
      z.object({
        // A person who is gone has no name left, and counts for nobody.
        author: person.nullable(),
        state: z.string(),
        submittedAt: moment.nullable(),
        commit: z.object({ oid: commit }).nullable(),
        body: z.string(),
      }),
    ),
  }),
})

/** Pages of one GraphQL query: each holds the pull request too, so that a head that moved shows. */
export const pullRequestPages = z
  .array(
    z.object({
      data: z.object({ repository: z.object({ nameWithOwner: z.string(), pullRequest }) }),
    }),
  )
  .min(1)

/** The first page of `GET /repos/{}/activity?ref=`: who moved the branch, the newest first. */
export const pushes = z
  .array(
    z.object({
      ref: z.string(),
      after: z.string(),
      timestamp: moment,
      activity_type: z.string(),
      actor: z.object({ login: z.string().min(1) }).nullable(),
    }),
  )
  .min(1)

export const planType = 'https://postern.example/attestation/plan/v1'
export const policyType = 'https://postern.example/attestation/policy/v1'
export const imageTypes = ['https://slsa.dev/provenance/v1', 'https://cyclonedx.org/bom'] as const

export const statement = z.object({
  _type: z.string().startsWith('https://in-toto.io/Statement/'),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string(),
  predicate: z.unknown(),
})

export const planPredicate = z.object({
  repository: z.string(),
  pullRequest: z.int().positive(),
  commit,
  environment: z.string(),
  createdAt: moment,
  images: z.array(digest),
})

/** What `ci/policy --json` says, less the files. */
export const policyPredicate = z.object({
  verdict: z.string(),
  exitCode: z.int(),
  environment: z.string(),
})

export type Pages = z.infer<typeof pullRequestPages>
export type Pushes = z.infer<typeof pushes>
export type Statement = z.infer<typeof statement>
export type Plan = z.infer<typeof planPredicate>

/** All that a decision is made of. */
export interface Evidence {
  readonly pages: Pages
  readonly pushes: Pushes
  readonly owners: readonly string[]
  readonly planSha256: string
  /** Verified ones only. */
  readonly statements: readonly Statement[]
  readonly environment: string
  readonly now: Date
}
