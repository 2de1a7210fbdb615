import type { CommandEnd } from './audit-stage.ts'
import { say } from './stage.ts'

type Row = {
  readonly attack: string
  readonly expected: string
  readonly got: string
  readonly message: string
  readonly isAsExpected: boolean
}

export type Table = {
  /** Judges a command by its exit code and by what it said. */
  command(attack: string, expected: number, says: RegExp, end: CommandEnd): void
  /** Judges anything else that answered. */
  answer(attack: string, expected: string, got: string, message: string): void
  print(): void
  /** Rows that are not as expected. */
  differing(): number
}

/** What was done, what should come of it, what came of it. Each row is told as it comes in. */
export function openTable(): Table {
  const rows: Row[] = []

  function add(row: Row): void {
    rows.push(row)
    say(`  ${row.isAsExpected ? 'ok     ' : 'DIFFERS'} ${row.attack}: ${row.got}`)
  }

  return {
    command(attack, expected, says, { code, out, err }) {
      const isAsExpected = code === expected && says.test(`${out}${err}`)
      const message = isAsExpected ? shorten(out, err) : `${out}${err}`
      add({ attack, expected: `exit ${expected}`, got: `exit ${code}`, message, isAsExpected })
    },
    answer(attack, expected, got, message) {
      add({ attack, expected, got, message, isAsExpected: got === expected })
    },
    print: () => print(rows),
    differing: () => rows.filter((row) => !row.isAsExpected).length,
  }
}

const verdictLine = /^(?:verdict|first bad|last good)\s/
const findingLine = /^(?:integrity|rollback|unknown|gap|stale)\s/

/** Of a report the verdict, the first finding and the last good tree; of anything else all. */
function shorten(out: string, err: string): string {
  const lines = `${out}${err}`.split('\n').filter((line) => line.trim() !== '')
  const verdict = lines.filter((line) => verdictLine.test(line))
  const finding = lines.filter((line) => findingLine.test(line)).slice(0, 1)
  const told = verdict.length > 0 ? [...verdict, ...finding] : lines
  return told.map((line) => line.trim().replace(/\s{2,}/g, ' ')).join(' · ')
}

function print(rows: readonly Row[]): void {
  const width = (of: (row: Row) => string) => Math.max(...rows.map((row) => of(row).length))
  const attackWidth = width((row) => row.attack)
  const expectedWidth = width((row) => row.expected)
  const gotWidth = width((row) => row.got)
  for (const { attack, expected, got, message, isAsExpected } of rows) {
    const cells = [attack.padEnd(attackWidth), expected.padEnd(expectedWidth), got.padEnd(gotWidth)]
    say(`${isAsExpected ? ' ' : '!'} ${cells.join(' | ')} | ${message}`)
  }
}
