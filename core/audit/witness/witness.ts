import type { AddCheckpoint } from './add-checkpoint.ts'

/** A witness as the log sees it. */
export type Witness = {
  readonly name: string
  /**
   * Asks for a cosignature of a signed checkpoint; never throws. One request at a time: a second
   * call finds `unavailable`, so that the next one asks for the newest size only.
   */
  cosign(note: string, signal: AbortSignal): Promise<WitnessOutcome>
}

/**
 * `cosigned`: append `line` to the checkpoint. `rolled-back`: the witness has cosigned more than
 * this checkpoint holds; unless the log's head is larger too, stop signing. `inconsistent`: the
 * witness saw another history; keep the evidence, alarm, stop signing. `refused`: one of both is
 * configured wrong. `unavailable`: no answer of use, ask again.
 */
export type WitnessOutcome =
  | { readonly outcome: 'cosigned'; readonly line: string; readonly timeSeconds: number }
  | { readonly outcome: 'rolled-back'; readonly size: number }
  | { readonly outcome: 'inconsistent'; readonly evidence: InconsistencyEvidence }
  | { readonly outcome: 'refused'; readonly status: number; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string }

/** What was asked and what came back; no secret in it. */
export type InconsistencyEvidence = AddCheckpoint & {
  readonly status: number
  readonly answer: string
}
