/** Who calls, after the token was verified. One token, one principal. */
export type Principal = {
  readonly issuer: string
  readonly subject: string
  readonly tokenId: string
  readonly keyId: string
  readonly scopes: ReadonlySet<string>
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** `issuer subject` of who had the token made; of tokens of the local issuer alone. */
  readonly mintedBy?: string
}

/** `issuer subject`: no issuer has white space, so it is unambiguous. */
export function subjectOf({ issuer, subject }: Pick<Principal, 'issuer' | 'subject'>): string {
  return `${issuer} ${subject}`
}

/**
 * Who is behind a principal, as `issuer subject`. Two principals are two only where these differ: one
 * who may mint tokens has as many names as it likes.
 */
export function personOf(principal: Principal): string {
  return principal.mintedBy ?? subjectOf(principal)
}

/** The zones a registered route can belong to; each has a CIDR list of its own. */
export const zones = ['v1', 'internal', 'probe'] as const
export type Zone = (typeof zones)[number]

/** What is known of a request and goes into its audit records. */
export type Caller = {
  readonly principal: Principal
  readonly clientAddress: string
  readonly userAgent: string
  readonly requestId: string
  readonly traceparent: string | undefined
}

/** Whoever acts: a caller over HTTP, or an operator's name at a terminal. */
export type Actor = Caller | string
