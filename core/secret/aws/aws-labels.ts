/** A version and the labels that are on it; AWS puts a label on one version at a time. */
export type LabelledVersion = {
  readonly version: string
  readonly labels: readonly string[]
  readonly createdAt: Date
}

/** The labels that AWS itself gives and moves. */
export const awsCurrent = 'AWSCURRENT'
const awsPrevious = 'AWSPREVIOUS'
export const awsPending = 'AWSPENDING'

/**
 * Versions with a label of ours. AWS takes 20 labels across all versions of a secret (Secrets
 * Manager quotas); three are its own, and seven are left to others.
 */
const keptMax = 10

/**
 * Ours, so that a version stays enabled when AWS takes its own labels off: it does so when another
 * is staged, and when two others were promoted.
 */
export function keptLabel(version: string): string {
  return `POSTERN_KEPT_${version}`
}

/** A version without any label is what AWS calls deprecated, and deletes in time. */
export function isEnabled(labels: readonly string[]): boolean {
  return labels.length > 0
}

export function holderOf(
  versions: readonly LabelledVersion[],
  label: string,
): LabelledVersion | undefined {
  return versions.find(({ labels }) => labels.includes(label))
}

/** Those that the next promotion would leave bare sooner or later. */
export function unkeptHolders(versions: readonly LabelledVersion[]): readonly LabelledVersion[] {
  return versions.filter(
    ({ version, labels }) =>
      (labels.includes(awsCurrent) || labels.includes(awsPrevious)) &&
      !labels.includes(keptLabel(version)),
  )
}

/** The oldest that nothing but our label keeps, where one more would be too many. */
export function surplus(newestFirst: readonly LabelledVersion[]): readonly LabelledVersion[] {
  const kept = newestFirst.filter(({ version, labels }) => labels.includes(keptLabel(version)))
  const keptAlone = kept.filter(({ labels }) => labels.length === 1)
  const heldElsewise = kept.length - keptAlone.length
  return keptAlone.slice(Math.max(0, keptMax - 1 - heldElsewise))
}
