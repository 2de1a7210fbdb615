import type { z } from 'zod'
import type { PointedError } from '../errors.ts'

/** Where a row stands: counted from 0 among the rows, from 1 among the lines of the input. */
export type RowPlace = { readonly row: number; readonly line: number }

/** A caller's own column name is repeated in the answer, but not at any length. */
const columnCharactersMax = 64

export function rowFault({ row, line }: RowPlace, detail: string): PointedError {
  return { pointer: `/rows/${row}`, detail: `line ${line}: ${detail}` }
}

export function cellFault(place: RowPlace, column: string, detail: string): PointedError {
  return {
    pointer: `/rows/${place.row}/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail: `line ${place.line}, column ${column}: ${detail}`,
  }
}

/** Zod's issues of one row, by column. */
export function schemaFaults(
  issues: readonly z.core.$ZodIssue[],
  place: RowPlace,
): readonly PointedError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) =>
        cellFault(place, key.slice(0, columnCharactersMax), 'is not a known column'),
      )
    }
    const [column] = issue.path
    if (column === undefined) return [rowFault(place, 'must be an object of columns')]
    return [cellFault(place, String(column), issue.message)]
  })
}
