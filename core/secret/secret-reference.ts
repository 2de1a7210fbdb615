/** `secret:<name>#<member>`: a member of the JSON object that a store holds under a name. */
export type SecretReference = { readonly name: string; readonly member: string }

const namePattern = /^[a-z0-9][a-z0-9/_-]{0,126}$/
const memberPattern = /^[a-zA-Z][a-zA-Z0-9_]{0,63}$/

export function isSecretReference(text: string): boolean {
  return text.startsWith('secret:')
}

/** Undefined when the text is no well-formed reference. */
export function parseSecretReference(text: string): SecretReference | undefined {
  const [, name = '', member = ''] = /^secret:([^#]*)#([^#]*)$/.exec(text) ?? []
  return isSecretName(name) && isMemberName(member) ? { name, member } : undefined
}

export function isSecretName(text: string): boolean {
  return namePattern.test(text)
}

export function isMemberName(text: string): boolean {
  return memberPattern.test(text)
}
