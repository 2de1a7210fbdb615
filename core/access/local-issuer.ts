import { SignJWT } from 'jose'
import type { SecretMembers } from '../secret/secret-store.ts'
import { type IssuerKeys, publishedKeys, readIssuerKeys } from './issuer-keys.ts'
import { type KeySet, rejectUnknownKey } from './key-set.ts'

/** What a token of ours says. */
export type MintedClaims = {
  readonly tokenId: string
  readonly subject: string
  readonly audience: string
  readonly scopes: readonly string[]
  /** Who had it made. */
  readonly minter: { readonly issuer: string; readonly subject: string }
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Of its header. */
  readonly typ: string
}

export type PublishedSet = {
  /** The JSON of a JWK set (RFC 7517, 5): public members only. */
  readonly text: string
  readonly etag: string
  /** The one that signs comes first. */
  readonly keyIds: readonly string[]
}

/** Signs tokens, and knows the keys that verify them, by the version in force of one secret. */
export type LocalIssuer = {
  readonly name: string
  /** Seconds that a token may live. */
  readonly ttlSecondsMax: number
  /** Seconds that others may keep the published set. */
  readonly jwksMaxAgeSeconds: number
  readonly keySet: KeySet
  published(): PublishedSet
  sign(claims: MintedClaims): Promise<{ readonly token: string; readonly keyId: string }>
  /** Signs, verifies and publishes with another version from here on. Throws a plain `Error`, and keeps its keys. */
  adopt(members: SecretMembers): Promise<void>
  /** Called whenever the keys have changed; `adopt` waits for what it returns. */
  onChange(listener: () => unknown): void
}

export type LocalIssuerOptions = Pick<
  LocalIssuer,
  'name' | 'ttlSecondsMax' | 'jwksMaxAgeSeconds'
> & { readonly members: SecretMembers }

/** Throws a plain `Error` for members that are no keys. */
export async function openLocalIssuer(options: LocalIssuerOptions): Promise<LocalIssuer> {
  const { name, ttlSecondsMax, jwksMaxAgeSeconds } = options
  const listeners: (() => unknown)[] = []
  // One object, so that no request meets the signer of one version and the set of another.
  let inForce = await readVersion(options.members)

  return {
    ...{ name, ttlSecondsMax, jwksMaxAgeSeconds },
    keySet: {
      find(kid, algorithm) {
        const key = algorithm === 'EdDSA' ? inForce.byKid.get(kid) : undefined
        return key?.verifying ?? rejectUnknownKey()
      },
      ageMs: () => undefined,
      notReady: () => undefined,
      close: () => undefined,
    },
    published: () => inForce.published,
    sign: (claims) => sign(name, inForce.keys, claims),
    async adopt(members) {
      inForce = await readVersion(members)
      await Promise.all(listeners.map((tell) => tell()))
    },
    onChange: (listener) => void listeners.push(listener),
  }
}

async function readVersion(members: SecretMembers) {
  const keys = await readIssuerKeys(members)
  const all = publishedKeys(keys)
  return { keys, byKid: new Map(all.map((key) => [key.kid, key])), published: publish(all) }
}

function publish(keys: ReturnType<typeof publishedKeys>): PublishedSet {
  const text = JSON.stringify({ keys: keys.map(({ published }) => published) })
  const digest = new Bun.CryptoHasher('sha256').update(text).digest('base64url')
  return { text, etag: `"${digest}"`, keyIds: keys.map(({ kid }) => kid) }
}

async function sign(
  issuer: string,
  { current }: IssuerKeys,
  claims: MintedClaims,
): Promise<{ readonly token: string; readonly keyId: string }> {
  const { minter } = claims
  // RFC 8693, 4.1: the subject is who may act, `act` who does.
  const act = { iss: minter.issuer, sub: minter.subject }
  const token = await new SignJWT({ scope: claims.scopes.join(' '), act })
    .setProtectedHeader({ alg: 'EdDSA', kid: current.kid, typ: claims.typ })
    .setIssuer(issuer)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setJti(claims.tokenId)
    .setIssuedAt(claims.issuedAt)
    .setExpirationTime(claims.expiresAt)
    .sign(current.signing)
  return { token, keyId: current.kid }
}
