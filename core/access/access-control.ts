import type { Principal, Zone } from './principal.ts'

/** Why a caller was admitted or refused: a rule of the access file or of the protocol, by name. */
export type Reason = string

export type Admission =
  | { readonly admitted: true; readonly clientAddress: string; readonly rule: Reason }
  | { readonly admitted: false; readonly clientAddress: string; readonly reason: Reason }

export type SubjectLimit = {
  /** Requests a second and the burst above it, for all gateways together. */
  readonly perSecond: number
  readonly burst: number
}

/**
 * Who may do what, from the access file in force. `admit` is pure and quick; `authenticate` is
 * synchronous for a token seen before.
 */
export type AccessControl = {
  /** Resolves the client address through trusted proxies and matches it against the zone. */
  admit(zone: Zone, remoteAddress: string | undefined, forwardedFor: string | undefined): Admission
  /** The one header whose value `admit` takes, lower case; every other spelling is ignored. */
  readonly forwardedHeader: string
  /**
   * The principal of a bearer token. Throws `auth.token_rejected` with its `reason`, always
   * without a detail, or `auth.keys_unavailable`.
   */
  authenticate(authorization: string | undefined): Principal | Promise<Principal>
  /**
   * Called when something was revoked, or the local issuer’s keys changed; what it returns is waited for, a second at the most, before
   * anybody is told that this process heeds it. Returns what ends the calls.
   */
  onDenial(listener: () => Promise<void>): () => void
  limitFor(principal: Principal): SubjectLimit
  /** Further scopes that the access file asks for on a route, e.g. `GET /v1/jobs/:id`. */
  scopesFor(route: string): readonly string[]
  /** Prefixes that a callback URL must start with, origin included; empty refuses all. */
  readonly callbackPrefixes: readonly string[]
  /** Undefined when keys and deny list are loaded, else what is missing. */
  notReady(): string | undefined
}
