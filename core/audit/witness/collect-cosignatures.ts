import type { Witness, WitnessOutcome } from './witness.ts'

/**
 * Asks every witness about a signed checkpoint, all at once, and returns within the deadline.
 * Never throws.
 */
export type CollectCosignatures = (note: string) => Promise<Cosignatures>

export type Cosignatures = {
  /** Signature lines to append to the note, each with its newline. */
  readonly lines: readonly string[]
  /** One for each witness, in the order given. */
  readonly outcomes: readonly (WitnessOutcome & { readonly witness: string })[]
}

/** What came too late counts as unavailable; a witness that did cosign says so the next time. */
export function collectCosignatures(options: {
  readonly witnesses: readonly Witness[]
  readonly deadlineMs: number
}): CollectCosignatures {
  const { witnesses, deadlineMs } = options
  return async (note) => {
    const deadline = new AbortController()
    const late = Promise.withResolvers<WitnessOutcome>()
    const timer = setTimeout(() => {
      deadline.abort()
      late.resolve({ outcome: 'unavailable', reason: `no answer within ${deadlineMs} ms` })
    }, deadlineMs)
    const ask = async (witness: Witness) => {
      const asked = witness.cosign(note, deadline.signal)
      return { witness: witness.name, ...(await Promise.race([asked, late.promise])) }
    }
    const outcomes = await Promise.all(witnesses.map(ask))
    clearTimeout(timer)
    const lines = outcomes.flatMap((one) => (one.outcome === 'cosigned' ? [one.line] : []))
    return { lines, outcomes }
  }
}
