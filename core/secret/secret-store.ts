/** `secret:<name>#<member>`: a member of the JSON object that a store holds under a name. */
export type SecretReference = { readonly name: string; readonly member: string }

export type SecretVersion = { readonly version: string; readonly value: string }

/**
 * Where credentials live. Values stay in memory: they never reach the environment, a file, a log
 * line, an error, job data or an audit record. Safe concurrently; the caller retries.
 */
export type SecretStore = {
  readonly name: string
  /** Throws `secret.not_found` (name the reference) or `secret.unavailable`. */
  read(reference: SecretReference): Promise<SecretVersion>
  /** For `doctor`: throws what `read` would throw when the store itself is out of reach. */
  check(): Promise<void>
}

const referencePattern = /^secret:([a-z0-9][a-z0-9/_-]{0,126})#([a-zA-Z][a-zA-Z0-9_]{0,63})$/

export function isSecretReference(text: string): boolean {
  return text.startsWith('secret:')
}

/** Undefined when the text is no well-formed reference. */
export function parseSecretReference(text: string): SecretReference | undefined {
  const match = referencePattern.exec(text)
  const [, name, member] = match ?? []
  return name === undefined || member === undefined ? undefined : { name, member }
}
