/** What can be wrong with a note, a checkpoint, a key, a policy or a receipt. */
export type NoteFault =
  | 'note_malformed'
  | 'key_malformed'
  | 'key_weak'
  | 'signature_invalid'
  | 'signature_missing'
  | 'checkpoint_malformed'
  | 'origin_differs'
  | 'policy_malformed'
  | 'receipt_malformed'
  | 'receipt_refused'

/** The message names what is wrong and never repeats a key. */
export class NoteError extends Error {
  override readonly name = 'NoteError'
  readonly reason: NoteFault
  constructor(reason: NoteFault, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}
