import { z } from 'zod'
import { noiseAttributes, repeatedAttributes } from './drift-policy.ts'
import type { Plan, PlannedResource } from './read-plan.ts'

/** The resources that stand in the state, by type: what a plan would make is not among them. */
export type Siblings = ReadonlyMap<string, readonly Values[]>
type Values = Readonly<Record<string, unknown>>

/** As they are and as they were: one that is gone explains why its parent lost something. */
export function siblingsOf({ resource_drift, resource_changes }: Plan): Siblings {
  const found = new Map<string, Values[]>()
  for (const { mode, type, change } of [...resource_drift, ...resource_changes]) {
    if (mode !== 'managed' || change.before === null || change.before === undefined) continue
    const values = found.get(type) ?? []
    values.push(change.before)
    // Of a drift `after` is what is there; of a change it is what is only planned.
    found.set(type, values)
  }
  return found
}

export type Difference = {
  readonly resource: PlannedResource
  readonly attribute: string
  readonly before: unknown
  readonly after: unknown
}

/** Why a difference says nothing; undefined when it does. */
export function noiseReason(difference: Difference, siblings: Siblings): string | undefined {
  const { resource, attribute } = difference
  const { type } = resource
  const known = noiseAttributes.find((one) => one.type === type && one.attribute === attribute)
  if (known !== undefined) return known.reason
  return repeatedReason(difference, siblings) ?? mirroredReason(difference, siblings)
}

function repeatedReason({ resource, attribute }: Difference, siblings: Siblings) {
  const { type, change } = resource
  const repeated = repeatedAttributes.find(
    (one) => one.type === type && one.attribute === attribute,
  )
  if (repeated === undefined) return undefined
  const parent = change.after?.[repeated.of] ?? change.before?.[repeated.of]
  const managed = siblings.get(repeated.sibling) ?? []
  const isManaged = typeof parent === 'string' && managed.some((one) => one[repeated.by] === parent)
  return isManaged ? `repeats ${repeated.sibling}, which is judged itself` : undefined
}

/**
 * Sets that a parent has put together of its siblings: noise as long as each member that came or
 * went is one that a sibling is, or was, about.
 */
const mirrors: Readonly<Record<string, Mirror>> = {
  'aws_security_group ingress': {
    members: groupRules,
    told: (all, id) => toldRules(all, id, 'in'),
  },
  'aws_security_group egress': {
    members: groupRules,
    told: (all, id) => toldRules(all, id, 'out'),
  },
  'aws_iam_role managed_policy_arns': {
    members: texts,
    told: (all, id) => toldBy(all, 'aws_iam_role_policy_attachment', 'role', id, 'policy_arn'),
  },
  'aws_iam_role inline_policy': {
    members: (value) => lists(value).flatMap(({ name }) => texts(name)),
    told: (all, id) => toldBy(all, 'aws_iam_role_policy', 'role', id, 'name'),
  },
  'aws_iam_policy attachment_count': { members: countMembers, told: toldCount },
}

type Mirror = {
  /** What the parent says, each as one text. */
  members(value: unknown): readonly string[]
  /** What its siblings say, in the same words. */
  told(siblings: Siblings, parentId: string): readonly string[]
}

function mirroredReason({ resource, attribute, before, after }: Difference, siblings: Siblings) {
  const mirror = mirrors[`${resource.type} ${attribute}`]
  const id = resource.change.before?.['id']
  if (mirror === undefined || typeof id !== 'string') return undefined
  const [was, is] = [new Set(mirror.members(before)), new Set(mirror.members(after))]
  const told = new Set(mirror.told(siblings, id))
  const isExplained = was.symmetricDifference(is).isSubsetOf(told)
  // A member that is none would vanish from both.
  return isExplained && was.symmetricDifference(is).size > 0
    ? 'only what resources of their own have put there'
    : undefined
}

function toldBy(all: Siblings, type: string, by: string, id: string, member: string) {
  return (all.get(type) ?? []).filter((one) => one[by] === id).flatMap((one) => texts(one[member]))
}

/** The policy's own id is its ARN. */
function toldCount(all: Siblings, id: string): readonly string[] {
  const attached = new Set(
    (all.get('aws_iam_role_policy_attachment') ?? [])
      .filter((one) => one['policy_arn'] === id)
      .map((one) => String(one['id'])),
  )
  // As it was before the first was attached, and as it is.
  return ['0', String(attached.size)]
}

function countMembers(value: unknown): readonly string[] {
  return [String(typeof value === 'number' ? value : 0)]
}

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return Array.isArray(value) ? value.flatMap(texts) : []
}

const objectsSchema = z.array(z.record(z.string(), z.unknown())).catch([])

function lists(value: unknown): readonly Values[] {
  return objectsSchema.parse(value)
}

/** A rule of a group as the group has it: several sources in one. */
function groupRules(value: unknown): readonly string[] {
  return lists(value).flatMap((rule) => {
    const sources = [
      ...texts(rule['cidr_blocks']),
      ...texts(rule['ipv6_cidr_blocks']),
      ...texts(rule['prefix_list_ids']),
      ...texts(rule['security_groups']).map(withoutAccount),
      ...(rule['self'] === true ? ['self'] : []),
    ]
    return sources.map((source) => ruleText(rule['protocol'], rule, source))
  })
}

function toldRules(all: Siblings, id: string, direction: 'in' | 'out'): readonly string[] {
  const type = `aws_vpc_security_group_${direction === 'in' ? 'ingress' : 'egress'}_rule`
  const own = (all.get(type) ?? []).filter((one) => one['security_group_id'] === id)
  const older = (all.get('aws_security_group_rule') ?? []).filter(
    (one) =>
      one['security_group_id'] === id &&
      one['type'] === (direction === 'in' ? 'ingress' : 'egress'),
  )
  return [
    ...own.flatMap((rule) =>
      [
        ...texts(rule['cidr_ipv4']),
        ...texts(rule['cidr_ipv6']),
        ...texts(rule['prefix_list_id']),
        ...texts(rule['referenced_security_group_id']).map((group) => selfOr(group, id)),
      ].map((source) => ruleText(rule['ip_protocol'], rule, source)),
    ),
    ...older.flatMap((rule) => [
      ...groupRules([{ ...rule, security_groups: undefined }]),
      ...texts(rule['source_security_group_id']).map((group) =>
        ruleText(rule['protocol'], rule, selfOr(group, id)),
      ),
    ]),
  ]
}

/** A group names itself by `self`. */
function selfOr(group: string, id: string): string {
  const bare = withoutAccount(group)
  return bare === id ? 'self' : bare
}

function withoutAccount(group: string): string {
  return group.slice(group.lastIndexOf('/') + 1)
}

/** All protocols have no ports, which is written as 0, -1 or nothing. */
function ruleText(protocol: unknown, rule: Values, source: string): string {
  const ports = protocol === '-1' ? '' : `${rule['from_port'] ?? ''}-${rule['to_port'] ?? ''}`
  return `${protocol} ${ports} ${source}`
}
