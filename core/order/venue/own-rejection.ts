import type { SubmitResult } from '../venue.ts'

/** A rejection that has a code of ours and no words of a venue's. */
export function ownRejection(code: string): SubmitResult {
  return { kind: 'rejected', code, raw: code }
}
