/**
 * What a witness remembers: for each log the checkpoint it cosigned last, as the note with the
 * log's signatures and its own.
 *
 * `replace` is one atomic step, durable when it returns, and the memory never goes back: it stores
 * `next` only where `previous` (undefined: nothing) still stands, and says false otherwise. When
 * it throws (`audit.unavailable`), `next` may or may not be stored: nothing that depends on it may
 * leave the process. Logs are named by `originHash`. Safe for any number of callers.
 */
export type WitnessStore = {
  find(originHash: string): string | undefined
  replace(originHash: string, previous: string | undefined, next: string): boolean
}

/** Lower-case hex SHA-256 of an origin, as in the path of a witness's latest checkpoint. */
export function originHash(origin: string): string {
  return new Bun.CryptoHasher('sha256').update(origin).digest('hex')
}
