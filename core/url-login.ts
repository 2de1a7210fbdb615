export const undecodable = 'user or password holds a % that is no escape; write it as %25'

/** A password with a bare percent sign: drivers throw a `URIError` that names no setting. */
export function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username)
    decodeURIComponent(password)
    return true
  } catch {
    return false
  }
}
