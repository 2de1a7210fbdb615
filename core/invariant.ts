/** Asserts what only a bug can break; operating errors are `PosternError`s instead. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`)
}
