/** One record as it was read: its line in the input, and either its members or what is wrong. */
export type RawRecord = {
  readonly line: number
  readonly value: unknown
  readonly fault?: string
}
