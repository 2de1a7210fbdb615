// What is counted in a plan, and in the verdict on it.

const wanted = ['environment', 'owner', 'cost_center']

/** Digests of the images that would run. Of strings in strings too: task definitions are text. */
export function imagesOf(plan) {
  const text = JSON.stringify(plan.planned_values ?? {})
  return [...new Set([...text.matchAll(/@(sha256:[0-9a-f]{64})\b/g)].map(([, digest]) => digest))]
}

/** Of what can carry tags, how much carries all that are wanted; null if nothing can. */
export function taggedRatioOf(plan) {
  const taggable = (plan.resource_changes ?? [])
    .filter(({ mode, change }) => mode === 'managed' && change.after !== null)
    .filter(
      ({ change }) => 'tags_all' in change.after || 'tags_all' in (change.after_unknown ?? {}),
    )
  const isTagged = ({ change }) => wanted.every((name) => change.after.tags_all?.[name])
  if (taggable.length === 0) return null
  return taggable.filter(isTagged).length / taggable.length
}

/** From `ci/policy --json`: how often each rule denies or cannot know. */
export function violationsOf({ files = [] }) {
  const counts = new Map()
  for (const { id, outcome } of files.flatMap(({ report }) => report?.results ?? [])) {
    if (outcome !== 'warn') counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}
