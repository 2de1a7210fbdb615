/** `-` begins every escape, so that no two names have one encoding. */
const escapes: Readonly<Record<string, string>> = { '-': '--', '/': '-s', _: '-u' }
const unescapes: Readonly<Record<string, string>> = { '--': '-', '-s': '/', '-u': '_' }

/**
 * A secret's name in the alphabet that Azure Key Vault and Google Secret Manager share: letters,
 * digits and hyphens. Lower case only, because Azure's names are case-insensitive.
 */
export function encodeSecretName(name: string): string {
  return name.replace(/[-/_]/g, (character) => escapes[character] ?? character)
}

/** Undefined for what `encodeSecretName` never makes: a name that somebody else gave. */
export function decodeSecretName(encoded: string): string | undefined {
  if (!/^(?:[a-z0-9]|-[-su])+$/.test(encoded)) return undefined
  return encoded.replace(/-[-su]/g, (pair) => unescapes[pair] ?? pair)
}
