const guarded = 'deploy/terraform/'
const folder = /^\/?[\w./-]+\/$/

/**
 * The people whom CODEOWNERS names for deploy/terraform; as on GitHub the last line that fits is
 * the one that counts. A team is no person: who is in it is not in the repository.
 */
export function ownersOf(codeOwners: string): readonly string[] {
  const lines = codeOwners
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([pattern]) => pattern !== '')
  const unclear = lines.find(([pattern = '']) => !isClear(pattern))
  if (unclear) throw new Error(`${unclear[0]}: only * and folders are understood here`)
  const [, ...owners] = lines.findLast(([pattern = '']) => fits(pattern)) ?? []
  return owners
    .filter((owner) => owner.startsWith('@') && !owner.includes('/'))
    .map((owner) => owner.slice(1))
}

/** Whether it can be told without a matcher of patterns what a line covers. */
function isClear(pattern: string): boolean {
  return pattern === '*' || folder.test(pattern) || !pattern.includes('*')
}

function fits(pattern: string): boolean {
  return pattern === '*' || (folder.test(pattern) && guarded.startsWith(pattern.replace(/^\//, '')))
}
