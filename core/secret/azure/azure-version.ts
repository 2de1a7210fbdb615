/** One version as the vault lists it. */
export type AzureVersion = {
  readonly version: string
  readonly isEnabled: boolean
  /** Unix seconds, whole ones: versions of one second have no order of their own. */
  readonly createdSeconds: number
  readonly tags: Tags
}

type Tags = Readonly<Record<string, string>>

/**
 * Our tags; all others on a version are somebody's and stay.
 *
 * `state` and `stateNumber` are written by one request. The version that is `current` with the
 * highest number is current, whatever the others still say: a promotion is done by its first
 * request, and what follows only tidies up. What was current before anybody promoted has number 0,
 * so that the mark of a staging that was overtaken never wins.
 */
const tagNames = {
  rotation: 'rotation',
  /** Counts the versions of a secret: orders those that were made within one second. */
  place: 'place',
  state: 'state',
  stateNumber: 'stateNumber',
} as const

/** The same order for everyone who sees the same versions, in whatever order the vault lists them. */
export function newestFirst(versions: readonly AzureVersion[]): readonly AzureVersion[] {
  return versions.toSorted(
    (left, right) =>
      right.createdSeconds - left.createdSeconds ||
      numberIn(right, 'place') - numberIn(left, 'place') ||
      (right.version < left.version ? -1 : 1),
  )
}

/** Of versions newest first: the one that is marked current, else the newest that is enabled. */
export function currentOf(versions: readonly AzureVersion[]): AzureVersion | undefined {
  const marked = versions.filter(({ tags }) => tags[tagNames.state] === 'current')
  const highest = highestStateNumber(marked)
  return (
    marked.find((each) => numberIn(each, 'stateNumber') === highest) ??
    versions.find(({ isEnabled }) => isEnabled)
  )
}

/**
 * Of versions newest first: the one that a rotation made, and others of the same rotation to
 * disable. The oldest stays, but never loses what was promoted already to it.
 */
export function stagedUnder(
  versions: readonly AzureVersion[],
  rotation: string,
): { readonly staged: AzureVersion | undefined; readonly strays: readonly AzureVersion[] } {
  const own = versions.filter(({ tags }) => tags[tagNames.rotation] === rotation)
  const enabled = own.filter(({ isEnabled }) => isEnabled)
  const staged = enabled.find(isMarked) ?? enabled.at(-1) ?? own.at(-1)
  return { staged, strays: enabled.filter((each) => each !== staged && !isMarked(each)) }
}

/** Tags of the version that is about to be staged beside those that are there. */
export function stageTags(versions: readonly AzureVersion[], rotation: string): Tags {
  const place = 1 + Math.max(0, ...versions.map((each) => numberIn(each, 'place')))
  return { [tagNames.rotation]: rotation, [tagNames.place]: String(place) }
}

/** A version whose tags become these. */
export type Retagging = { readonly version: string; readonly tags: Tags }

/** Marks what is current before a newer version makes that unknowable; undefined where it is marked. */
export function currentMark(versions: readonly AzureVersion[]): Retagging | undefined {
  const current = currentOf(versions)
  if (current === undefined || current.tags[tagNames.state] === 'current') return undefined
  return { version: current.version, tags: marked(current, 'current', 0) }
}

/** What makes `target` current and `previous` its predecessor, in the order in which it is safe. */
export function promotion(
  versions: readonly AzureVersion[],
  target: AzureVersion,
  previous: string,
): readonly Retagging[] {
  const isDone = target.tags[tagNames.state] === 'current' && currentOf(versions) === target
  const number = isDone ? numberIn(target, 'stateNumber') : 1 + highestStateNumber(versions)
  const others = versions.filter((each) => each !== target)
  const demoted = others.filter(
    ({ version, tags }) => version === previous && tags[tagNames.state] !== 'previous',
  )
  const stale = others.filter((each) => each.version !== previous && isMarked(each))
  return [
    ...(isDone ? [] : [{ version: target.version, tags: marked(target, 'current', number) }]),
    ...demoted.map((each) => ({
      version: each.version,
      tags: marked(each, 'previous', number),
    })),
    ...stale.map((each) => ({ version: each.version, tags: unmarked(each) })),
  ]
}

function isMarked({ tags }: AzureVersion): boolean {
  return tags[tagNames.state] === 'current' || tags[tagNames.state] === 'previous'
}

function marked({ tags }: AzureVersion, state: 'current' | 'previous', number: number): Tags {
  return { ...tags, [tagNames.state]: state, [tagNames.stateNumber]: String(number) }
}

function unmarked({ tags }: AzureVersion): Tags {
  const { [tagNames.state]: _state, [tagNames.stateNumber]: _number, ...others } = tags
  return others
}

function highestStateNumber(versions: readonly AzureVersion[]): number {
  return Math.max(0, ...versions.map((each) => numberIn(each, 'stateNumber')))
}

/** 0 for what is no number of ours: tags can be written by anybody who may write secrets. */
function numberIn({ tags }: AzureVersion, name: 'place' | 'stateNumber'): number {
  const text = tags[tagNames[name]] ?? ''
  return /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : 0
}
