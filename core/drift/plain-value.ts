/**
 * A value without what says nothing: Terraform and its providers write nothing at all, null, `""`,
 * `[]`, `{}` and false for the same, and change between them at will. Undefined for such a one.
 */
export function plain(value: unknown): unknown {
  if (value === null || value === undefined || value === '' || value === false) return undefined
  if (Array.isArray(value)) return plainList(value)
  if (typeof value === 'object') return plainObject(value)
  return value
}

function plainList(list: readonly unknown[]): unknown {
  const members = list.map(plain).filter((member) => member !== undefined)
  return members.length === 0 ? undefined : members
}

function plainObject(object: object): unknown {
  const members = Object.entries(object)
    .map(([name, member]) => [name, plain(member)] as const)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

/** One text for all values that mean the same. */
export function plainText(value: unknown): string {
  return JSON.stringify(plain(value)) ?? ''
}

/** Whether some leaf of a marking (`after_unknown`, `…_sensitive`) is true. */
export function hasMark(mark: unknown): boolean {
  if (mark === true) return true
  return typeof mark === 'object' && mark !== null && Object.values(mark).some(hasMark)
}

/** The marking of one attribute. */
export function markOf(mark: unknown, attribute: string): unknown {
  if (mark === true) return true
  if (typeof mark !== 'object' || mark === null) return undefined
  return Object.entries(mark).find(([name]) => name === attribute)?.[1]
}
