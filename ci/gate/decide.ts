// Whether a plan may be applied. Pure: the same evidence, the same answer.
import {
  type Evidence,
  imageTypes,
  type Plan,
  planPredicate,
  planType,
  policyPredicate,
  policyType,
  type Statement,
} from './evidence.ts'

/** One person can be wrong, tired, or somebody else. */
const approvalsMin = 2
/** Of a morning's plan the afternoon knows nothing; the state has moved, and so has the advice. */
const planAgeMsMax = 4 * 60 * 60 * 1000
/** Two machines' clocks. */
const clockSkewMsMax = 2 * 60 * 1000

const branch = 'main'

/** `unjudged` is evidence that is not whole: it says nothing for or against. */
export interface Refusal {
  readonly code: string
  readonly text: string
  readonly unjudged?: true
}

type Pull = Evidence['pages'][number]['data']['repository']['pullRequest']
type Review = Pull['reviews']['nodes'][number]

/** Empty if the plan may be applied. */
export function refusalsOf(evidence: Evidence): readonly Refusal[] {
  const incomplete = incompletenessOf(evidence.pages)
  if (incomplete.length > 0) return incomplete
  const [first] = evidence.pages
  const repository = first?.data.repository
  if (repository === undefined) return [refuse('evidence.incomplete', 'no pull request', true)]
  const { pullRequest: pull, nameWithOwner } = repository
  const reviews = evidence.pages.flatMap((page) => page.data.repository.pullRequest.reviews.nodes)
  const { plan, refusals: planRefusals } = judgePlan(evidence)
  return [
    ...judgePull(pull, nameWithOwner),
    ...(plan === undefined ? [] : judgeBelonging(plan, { pull, nameWithOwner, evidence })),
    ...planRefusals,
    ...judgeReviews({ pull, reviews, plan, evidence }),
  ]
}

function refuse(code: string, text: string, unjudged = false): Refusal {
  return unjudged ? { code, text, unjudged: true } : { code, text }
}

function incompletenessOf(pages: Evidence['pages']): readonly Refusal[] {
  const pulls = pages.map((page) => page.data.repository.pullRequest)
  const counted = pulls.reduce((sum, { reviews }) => sum + reviews.nodes.length, 0)
  const total = Math.max(...pulls.map(({ reviews }) => reviews.totalCount))
  const heads = new Set(pulls.map(({ number, headRefOid }) => `${number} ${headRefOid}`))
  return [
    ...(counted === total
      ? []
      : [refuse('evidence.incomplete', `${counted} of ${total} reviews are here`, true)]),
    ...(heads.size === 1
      ? []
      : [refuse('evidence.incomplete', 'the head moved while reviews were read', true)]),
  ]
}

function judgePull(pull: Pull, repository: string): readonly Refusal[] {
  const own = pull.headRepository?.nameWithOwner === repository
  return [
    ...(pull.state === 'OPEN' ? [] : [refuse('pull.not_open', `it is ${pull.state}`)]),
    ...(pull.isDraft ? [refuse('pull.draft', 'it is a draft')] : []),
    ...(pull.baseRefName === branch
      ? []
      : [refuse('pull.base', `it goes into ${pull.baseRefName}, not into ${branch}`)]),
    ...(own ? [] : [refuse('pull.fork', 'its branch lies in another repository')]),
  ]
}

function about(evidence: Evidence, type: string, sha256: string): readonly Statement[] {
  return evidence.statements.filter(
    ({ predicateType, subject }) =>
      predicateType === type && subject.some(({ digest }) => digest['sha256'] === sha256),
  )
}

function judgePlan(evidence: Evidence): { plan?: Plan; refusals: readonly Refusal[] } {
  const { planSha256, now } = evidence
  const [claim, ...others] = about(evidence, planType, planSha256)
  if (claim === undefined) {
    return { refusals: [refuse('plan.not_attested', `nobody signed for plan ${planSha256}`)] }
  }
  if (others.length > 0) {
    return { refusals: [refuse('plan.ambiguous', 'two attestations tell two stories of it')] }
  }
  const { data: plan } = planPredicate.safeParse(claim.predicate)
  if (plan === undefined) {
    return { refusals: [refuse('plan.unreadable', 'what was signed is no plan', true)] }
  }
  const ageMs = now.getTime() - Date.parse(plan.createdAt)
  const minutes = Math.round(ageMs / 60_000)
  return {
    plan,
    refusals: [
      ...(ageMs <= planAgeMsMax
        ? []
        : [refuse('plan.expired', `it is ${minutes} minutes old, of ${planAgeMsMax / 60_000}`)]),
      ...(ageMs >= -clockSkewMsMax ? [] : [refuse('plan.future', 'it was made in the future')]),
      ...judgeVerdict(evidence),
      ...plan.images.flatMap((image) => judgeImage(evidence, image)),
    ],
  }
}

function judgeVerdict(evidence: Evidence): readonly Refusal[] {
  const verdicts = about(evidence, policyType, evidence.planSha256)
  if (verdicts.length === 0) return [refuse('policy.not_attested', 'no signed verdict on the plan')]
  return verdicts.flatMap(({ predicate }) => {
    const { data } = policyPredicate.safeParse(predicate)
    if (data?.exitCode !== 0) {
      return [refuse('policy.denied', `the verdict is ${data?.verdict ?? 'unreadable'}`)]
    }
    return data.environment === evidence.environment
      ? []
      : [refuse('policy.environment', `the verdict is for ${data.environment}`)]
  })
}

function judgeImage(evidence: Evidence, image: string): readonly Refusal[] {
  const sha256 = image.replace('sha256:', '')
  return imageTypes
    .filter((type) => about(evidence, type, sha256).length === 0)
    .map((type) => refuse('image.not_attested', `${image} has no ${type}`))
}

interface Belonging {
  readonly pull: Pull
  readonly nameWithOwner: string
  readonly evidence: Evidence
}

function judgeBelonging(plan: Plan, { pull, nameWithOwner, evidence }: Belonging): Refusal[] {
  const pairs: readonly [string, unknown, unknown][] = [
    ['repository', plan.repository, nameWithOwner],
    ['pull request', plan.pullRequest, pull.number],
    ['commit', plan.commit, pull.headRefOid],
    ['environment', plan.environment, evidence.environment],
  ]
  return pairs
    .filter(([, planned, asked]) => planned !== asked)
    .map(([what, planned, asked]) =>
      refuse('plan.other', `it was made for ${what} ${planned}, this is ${asked}`),
    )
}

interface Reviewing {
  readonly pull: Pull
  readonly reviews: readonly Review[]
  readonly plan: Plan | undefined
  readonly evidence: Evidence
}

const decisive = ['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED']

function judgeReviews(reviewing: Reviewing): readonly Refusal[] {
  const { pull, evidence } = reviewing
  if (evidence.owners.length === 0) {
    return [refuse('owners.none', 'CODEOWNERS names nobody who may approve')]
  }
  const pushed = lastPush(pull, evidence)
  if (pushed === undefined) {
    return [refuse('push.unknown', 'who pushed the head commit is not known', true)]
  }
  const latest = [...latestByPerson(reviewing.reviews).values()]
  const vetoes = latest.filter(
    ({ author, state }) => state === 'CHANGES_REQUESTED' && isOwner(author?.login, evidence),
  )
  const objections = latest
    .filter(({ state }) => state !== 'CHANGES_REQUESTED')
    .map((review) => objectionTo(review, pushed, reviewing))
  const counted = objections.filter((objection) => objection === undefined).length
  return [
    ...vetoes.map(({ author }) =>
      refuse('approval.changes_requested', `@${author?.login} asks for changes`),
    ),
    ...(counted >= approvalsMin
      ? []
      : [
          ...objections.filter((objection) => objection !== undefined),
          refuse('approvals.too_few', `${counted} of ${approvalsMin} approvals count`),
        ]),
  ]
}

function same(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase()
}

function isOwner(login: string | undefined, { owners }: Evidence): boolean {
  return owners.some((owner) => same(owner, login))
}

/** A comment takes no approval back, and a review that was not sent is none. */
function latestByPerson(reviews: readonly Review[]): Map<string, Review> {
  const sent = reviews
    .filter(({ author, state, submittedAt }) => author && submittedAt && decisive.includes(state))
    .toSorted((a, b) => Date.parse(a.submittedAt ?? '') - Date.parse(b.submittedAt ?? ''))
  return new Map(sent.map((review) => [review.author?.login.toLowerCase() ?? '', review]))
}

interface Push {
  readonly login: string | undefined
  readonly at: number
}

/** The newest move of the branch, if it is the one that made the head what it is. */
function lastPush(pull: Pull, { pushes }: Evidence): Push | undefined {
  const own = pushes.filter(({ ref }) => ref === `refs/heads/${pull.headRefName}`)
  const [newest] = own.toSorted((a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp))
  if (newest?.after !== pull.headRefOid || newest.actor === null) return undefined
  return { login: newest.actor.login, at: Date.parse(newest.timestamp) }
}

/** Why an approval does not count: the first reason there is. */
function objectionTo(review: Review, pushed: Push, reviewing: Reviewing): Refusal | undefined {
  const reasons = [
    ...objectionsToPerson(review, pushed, reviewing),
    ...objectionsToWhat(review, pushed, reviewing),
  ]
  const found = reasons.find(([holds]) => holds)
  return (
    found && refuse(`approval.${found[1]}`, `the approval of @${review.author?.login} ${found[2]}`)
  )
}

type Objection = readonly [holds: boolean, code: string, text: string]

function objectionsToPerson({ author }: Review, pushed: Push, { pull, evidence }: Reviewing) {
  const login = author?.login
  const isAuthor = pull.author === null || same(login, pull.author.login)
  return [
    [author?.__typename !== 'User', 'bot', 'is a program'],
    [isAuthor, 'author', 'is by who has written the change'],
    [same(login, pushed.login), 'pusher', 'is by who pushed last'],
    [!isOwner(login, evidence), 'outsider', 'is by nobody whom CODEOWNERS names'],
  ] satisfies Objection[]
}

/** One commit can be planned twice: whoever approves says which plan he has read. */
function objectionsToWhat(review: Review, pushed: Push, { pull, plan, evidence }: Reviewing) {
  const at = Date.parse(review.submittedAt ?? '')
  const isLater = plan !== undefined && at >= Date.parse(plan.createdAt)
  const isNamed = review.body.includes(evidence.planSha256)
  return [
    [review.state === 'DISMISSED', 'dismissed', 'was dismissed'],
    [review.commit?.oid !== pull.headRefOid, 'older_commit', 'is of another commit'],
    [!(at > pushed.at), 'before_push', 'came before the last push'],
    [!(isLater && isNamed), 'other_plan', 'names another plan or none'],
  ] satisfies Objection[]
}
