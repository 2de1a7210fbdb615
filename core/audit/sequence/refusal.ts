/**
 * Why the sequencer must not sign. `rolled-back`: somebody outside has seen more of the log than
 * the database holds. `forked`: somebody has seen another history. `foreign`: what is published was
 * not signed by our keys. None passes by itself.
 */
export type RefusalReason = 'rolled-back' | 'forked' | 'foreign'

/** Signing would make two histories of one log; the message says what to do. */
export class SequencerRefusal extends Error {
  override readonly name = 'SequencerRefusal'
  readonly reason: RefusalReason
  constructor(reason: RefusalReason, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

const advice = {
  'rolled-back':
    'The database was restored from an older backup, or the log was cut off. Nothing is signed. ' +
    'Run `postern audit resync`, which fetches the lost records from the tile store.',
  forked:
    'Nothing is signed. Keep both histories, find out who wrote the other one, and do not delete ' +
    'anything: `postern audit verify` names the first index that differs.',
  foreign:
    'Nothing is signed. Check POSTERN_AUDIT_STORE, POSTERN_AUDIT_ORIGIN and POSTERN_AUDIT_KEYS: ' +
    'a key is replaced by an overlap of both, and a store belongs to one log.',
} as const satisfies Record<RefusalReason, string>

export function refuseToSign(reason: RefusalReason, finding: string, cause?: unknown): never {
  throw new SequencerRefusal(reason, `${finding}. ${advice[reason]}`, { cause })
}
