import { createHash } from 'node:crypto'
import type { Severity } from './drift-policy.ts'
import { type PlanFindingKind, secretName, severityOf, shownAttributes } from './drift-policy.ts'
import { type Difference, noiseReason, type Siblings, siblingsOf } from './mirrors.ts'
import { hasMark, markOf, plain, plainText } from './plain-value.ts'
import type { Plan, PlannedResource } from './read-plan.ts'

/** Of all of a resource. */
const wholeResource = '*'

export type PlanFinding = {
  readonly address: string
  readonly attribute: string
  /** Changed outside Terraform, not applied, or deleted outside. */
  readonly kind: PlanFindingKind
  readonly severity: Severity
  /** For people; without values but those that open nothing. */
  readonly summary: string
}

export type PlanNoise = {
  readonly address: string
  readonly attribute: string
  readonly reason: string
}

export type PlanVerdict = {
  readonly verdict: 'clean' | 'noise' | 'drift'
  /** By address and attribute. */
  readonly findings: readonly PlanFinding[]
  readonly noise: readonly PlanNoise[]
}

/**
 * What a plan says of the world, attribute by attribute; never by an exit code, which is 0 for a port
 * that was opened and 2 for what means nothing.
 */
export function judgePlan(plan: Plan): PlanVerdict {
  const siblings = siblingsOf(plan)
  const noise: PlanNoise[] = []
  const outside = managed(plan.resource_drift).flatMap((resource) =>
    judgeDrift(resource, siblings, noise),
  )
  const pending = judgeChanges(plan, new Set(outside.map(keyOf)))
  const found = [...outside, ...pending].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  if (found.length > 0) return { verdict: 'drift', findings: found, noise }
  return { verdict: noise.length === 0 ? 'clean' : 'noise', findings: [], noise }
}

function managed(resources: readonly PlannedResource[]): readonly PlannedResource[] {
  return resources.filter(({ mode }) => mode === 'managed')
}

function keyOf({ address, attribute }: Pick<PlanFinding, 'address' | 'attribute'>): string {
  return `${address} ${attribute}`
}

function judgeDrift(
  resource: PlannedResource,
  siblings: Siblings,
  noise: PlanNoise[],
): readonly PlanFinding[] {
  if (resource.change.actions.includes('delete')) return [wholeFinding(resource, 'gone')]
  const differences = withoutTagsTwice(differencesOf(resource))
  const { address } = resource
  // Named, and yet equal to us: an attribute that went from nothing to empty.
  if (differences.length === 0) noise.push({ address, attribute: wholeResource, reason: empty })
  return differences.flatMap((difference) => {
    const reason = noiseReason(difference, siblings)
    if (reason === undefined) return [attributeFinding(difference, 'drift')]
    noise.push({ address, attribute: difference.attribute, reason })
    return []
  })
}

const empty = 'nothing and empty are the same'

/** Without the known: a difference that was made outside is also planned to be taken back. */
function judgeChanges(plan: Plan, known: ReadonlySet<string>): readonly PlanFinding[] {
  const isKnown = ({ address, attribute }: PlanFinding) =>
    [attribute, wholeResource].some((one) => known.has(keyOf({ address, attribute: one })))
  const judged = managed(plan.resource_changes)
    .flatMap(judgeChange)
    .filter(({ finding }) => !isKnown(finding))
  const certain = judged.filter(({ isUnknown }) => !isUnknown)
  // What is known after the apply only follows from something else, which is told itself. Where
  // there is nothing else, it is all there is to tell.
  const told = certain.length === 0 && known.size === 0 ? judged : certain
  return told.map(({ finding }) => finding)
}

type Change = { readonly finding: PlanFinding; readonly isUnknown: boolean }

function judgeChange(resource: PlannedResource): readonly Change[] {
  const { actions, after_unknown } = resource.change
  if (actions.every((action) => action === 'no-op' || action === 'read')) return []
  if (actions.join() !== 'update') {
    return [{ finding: wholeFinding(resource, 'change'), isUnknown: false }]
  }
  return withoutTagsTwice(differencesOf(resource)).map((difference) => ({
    finding: attributeFinding(difference, 'change'),
    isUnknown: hasMark(markOf(after_unknown, difference.attribute)),
  }))
}

function differencesOf(resource: PlannedResource): readonly Difference[] {
  const { before, after, after_unknown } = resource.change
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  if (typeof after_unknown === 'object' && after_unknown !== null) {
    for (const [name, mark] of Object.entries(after_unknown)) if (hasMark(mark)) names.add(name)
  }
  return [...names]
    .map((attribute) => ({
      ...{ resource, attribute, before: before?.[attribute], after: after?.[attribute] },
    }))
    .filter(
      ({ attribute, before: was, after: is }) =>
        plainText(was) !== plainText(is) || hasMark(markOf(after_unknown, attribute)),
    )
}

/** `tags_all` is `tags` with the provider's own: told of where `tags` says nothing. */
function withoutTagsTwice(differences: readonly Difference[]): readonly Difference[] {
  if (!differences.some(({ attribute }) => attribute === 'tags')) return differences
  return differences.filter(({ attribute }) => attribute !== 'tags_all')
}

const wholeWords = { gone: 'is gone', change: 'is not as it is configured', drift: 'changed' }

function wholeFinding(resource: PlannedResource, kind: PlanFindingKind): PlanFinding {
  const { address, type, change } = resource
  const planned = kind === 'change' ? ` (planned: ${change.actions.join(', then ')})` : ''
  return {
    ...{ address, attribute: wholeResource, kind },
    severity: severityOf({ kind, type, attribute: wholeResource, after: '' }),
    summary: `${shorten(address)} ${wholeWords[kind]}${planned}`,
  }
}

function attributeFinding(difference: Difference, kind: PlanFindingKind): PlanFinding {
  const { resource, attribute, before, after } = difference
  const { address, type } = resource
  const severity = severityOf({ kind, type, attribute, after: plainText(after) })
  const how = kind === 'drift' ? 'changed outside Terraform' : 'is configured and not applied'
  const values = isSecret(difference) ? 'values not shown' : valuesText(attribute, before, after)
  const summary = `${shorten(address)}: ${shorten(attribute)} ${how}: ${values}`
  return { address, attribute, kind, severity, summary }
}

function isSecret({ resource, attribute }: Difference): boolean {
  const { before_sensitive, after_sensitive } = resource.change
  const isMarked = [before_sensitive, after_sensitive].some((mark) =>
    hasMark(markOf(mark, attribute)),
  )
  return isMarked || secretName.test(attribute)
}

/** Leaves that a summary names; a policy has hundreds. */
const leavesMax = 6
/** Characters of an address or a value; providers set no bound. */
const textMax = 200
const hashDigits = 12

function valuesText(attribute: string, before: unknown, after: unknown): string {
  const [was, is] = [
    leavesOf(attribute, withoutShared(before, after)),
    leavesOf(attribute, withoutShared(after, before)),
  ]
  const changed = [...new Set([...was.keys(), ...is.keys()])].filter(
    (path) => was.get(path) !== is.get(path),
  )
  // Only in what is not told, or in the order.
  if (changed.length === 0) return 'values not shown'
  const told = changed
    .slice(0, leavesMax)
    .map((path) => `${shorten(path)} ${was.get(path) ?? 'nothing'} → ${is.get(path) ?? 'nothing'}`)
  const rest = changed.length - told.length
  return `${told.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

/** Of a list, the members that the other has not: most are sets, whose order says nothing. */
function withoutShared(value: unknown, other: unknown): unknown {
  if (!Array.isArray(value) || !Array.isArray(other)) return value
  const shared = new Set(other.map(plainText))
  return value.filter((member) => !shared.has(plainText(member)))
}

/** Each leaf by its path, in words that may be told. */
function leavesOf(path: string, value: unknown): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>()
  collectLeaves(leaves, { path, name: path, value: plain(value) })
  return leaves
}

function collectLeaves(
  leaves: Map<string, string>,
  { path, name, value }: { readonly path: string; readonly name: string; readonly value: unknown },
): void {
  if (Array.isArray(value)) {
    value.forEach((member, at) => {
      collectLeaves(leaves, { path: `${path}[${at}]`, name, value: member })
    })
  } else if (typeof value === 'object' && value !== null) {
    for (const [member, of] of Object.entries(value)) {
      collectLeaves(leaves, { path: `${path}.${member}`, name: member, value: of })
    }
  } else if (value !== undefined) {
    leaves.set(path, tellable(name, value))
  }
}

function tellable(name: string, value: unknown): string {
  if (secretName.test(name)) return '(not shown)'
  if (typeof value === 'boolean') return String(value)
  return shownAttributes.has(name) ? shorten(String(value)) : hashOf(value)
}

/** Tells that a value changed, and back to what; not what it is. */
function hashOf(value: unknown): string {
  const text = plainText(value)
  if (text === '') return 'nothing'
  return `#${createHash('sha256').update(text).digest('hex').slice(0, hashDigits)}`
}

/** Of what Postgres could not hold, and a terminal would obey, nothing is left. */
function shorten(text: string): string {
  const told = text.length <= textMax ? text : `${text.slice(0, textMax)}…`
  return told.toWellFormed().replace(/\p{Cc}/gu, '?')
}
