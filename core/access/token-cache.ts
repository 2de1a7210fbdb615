import type { Principal } from './principal.ts'

/** Tokens; ten thousand services' worth, some 10 MB with the longest tokens in common use. */
const entriesMax = 10_000

/** Verified tokens by their exact text. A hit costs one lookup and no promise. */
export type TokenCache = {
  /** Undefined for a token not seen, or expired. */
  find(text: string): Principal | undefined
  keep(text: string, principal: Principal): void
  clear(): void
}

export function tokenCache(options: { readonly now: () => Date }): TokenCache {
  const { now } = options
  const principals = new Map<string, Principal>()
  return {
    find(text) {
      const principal = principals.get(text)
      if (principal === undefined) return undefined
      if (now().getTime() < principal.expiresAt * 1_000) return principal
      principals.delete(text)
      return undefined
    },
    keep(text, principal) {
      if (principals.size >= entriesMax) {
        const [oldest] = principals.keys()
        if (oldest !== undefined) principals.delete(oldest)
      }
      principals.set(text, principal)
    },
    clear: () => principals.clear(),
  }
}
