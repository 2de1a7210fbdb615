type Weighted = { readonly name: string; readonly weight: number }

/**
 * How many users of each class there are, as Locust's dispatcher hands them out one by one: the next
 * goes to the class whose key is smallest.
 */
export function splitUsers(
  classes: readonly Weighted[],
  users: number,
): ReadonlyMap<string, number> {
  const shares = new Map(classes.map(({ name }) => [name, 0]))
  const dealt = classes.filter(({ weight }) => weight > 0)
  for (let user = 0; user < users && dealt.length > 0; user += 1) {
    const next = dealt.reduce((best, one) => (isBefore(one, best, shares) ? one : best))
    shares.set(next.name, (shares.get(next.name) ?? 0) + 1)
  }
  return shares
}

function isBefore(one: Weighted, other: Weighted, shares: ReadonlyMap<string, number>): boolean {
  const [mine, its] = [keyOf(one, shares), keyOf(other, shares)]
  for (const [index, value] of mine.entries()) {
    const against = its[index]
    if (against !== undefined && value !== against) return value < against
  }
  return one.name < other.name
}

function keyOf({ name, weight }: Weighted, shares: ReadonlyMap<string, number>): readonly number[] {
  const held = weight + (shares.get(name) ?? 0)
  return [weight * Math.log2(held / (held + 1)), held + 1, weight]
}
