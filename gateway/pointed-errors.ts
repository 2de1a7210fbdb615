import type { z } from 'zod'
import type { PointedError } from '#core/errors.ts'

/** A caller fixes the first few; the rest would only make the answer larger than the request. */
const errorsMax = 50
/** A member's name is the caller's text and may be as long as the body. */
const pointerCharactersMax = 256

/** Zod's issues by RFC 6901 pointer, below `prefix`. Never holds a value that was sent. */
export function pointedErrors(
  error: { readonly issues: readonly z.core.$ZodIssue[] },
  prefix = '',
): readonly PointedError[] {
  return error.issues.slice(0, errorsMax).flatMap((issue) => pointIssue(issue, prefix))
}

function pointIssue(issue: z.core.$ZodIssue, prefix: string): readonly PointedError[] {
  const pointer = prefix + pointerOf(issue.path)
  if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }]
  return issue.keys
    .slice(0, errorsMax)
    .map((key) => ({ pointer: `${pointer}${pointerOf([key])}`, detail: 'Unknown member' }))
}

function pointerOf(path: readonly PropertyKey[]): string {
  const pointer = path
    .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
  return pointer.slice(0, pointerCharactersMax)
}
