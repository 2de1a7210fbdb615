/** Edits; more than these is another word, not a slip. */
const editsMax = 3

/** The one of `words` that somebody who typed `word` may have meant. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const found = words
    .map((candidate) => ({ candidate, edits: editsBetween(word, candidate) }))
    .filter(({ candidate, edits }) => edits <= Math.min(editsMax, candidate.length / 2.5))
    .sort((left, right) => left.edits - right.edits)
  return found[0]?.candidate
}

/** Letters to add, drop or replace (Levenshtein). */
function editsBetween(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [row, letter] of [...from].entries()) {
    const line = [row + 1]
    for (const [column, other] of [...to].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1)
      line.push(Math.min((above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1, replaced))
    }
    above = line
  }
  return above.at(-1) ?? 0
}
