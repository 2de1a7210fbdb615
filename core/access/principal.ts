/** Who calls, after the token was verified. One token, one principal. */
export type Principal = {
  readonly issuer: string
  readonly subject: string
  readonly tokenId: string
  readonly keyId: string
  readonly scopes: ReadonlySet<string>
  /** Seconds since the epoch. */
  readonly expiresAt: number
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
