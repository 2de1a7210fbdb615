import { say } from './stage.ts'

export type Tally = {
  count(what: string, by?: number): void
  of(what: string): number
  /** A promise that did not hold; the same again is the same. */
  problem(text: string): void
  problems(): readonly string[]
  print(rows: readonly (readonly [string, number])[]): void
  /** What was counted and begins so, most first. */
  beginning(prefix: string): readonly (readonly [string, number])[]
}

export function openTally(): Tally {
  const counts = new Map<string, number>()
  const problems = new Set<string>()
  return {
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    of: (what) => counts.get(what) ?? 0,
    problem: (text) => void problems.add(text),
    problems: () => [...problems],
    print(rows) {
      const width = Math.max(...rows.map(([name]) => name.length))
      for (const [name, count] of rows) say(`  ${name.padEnd(width)}  ${String(count).padStart(7)}`)
    },
    beginning: (prefix) =>
      [...counts].filter(([name]) => name.startsWith(prefix)).sort(([, a], [, b]) => b - a),
  }
}
