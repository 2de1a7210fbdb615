import { type CryptoKey, importJWK, type JWK } from 'jose'
import { z } from 'zod'
import type { TokenAlgorithm } from './access-file.ts'

/** Keys by `kid`, then by the one algorithm each may be used with. */
export type Keys = ReadonlyMap<string, ReadonlyMap<TokenAlgorithm, CryptoKey>>

/** An issuer publishes two to five; each costs an import and memory. */
const keysMax = 100
/** NIST SP 800-131A; jose refuses shorter ones too, but only when a token comes. */
const rsaBitsMin = 2_048
const hmacBytesMin = 32

const jwkSchema = z.looseObject({
  kty: z.string(),
  kid: z.string().min(1).max(256),
  alg: z.string().optional(),
  use: z.string().optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
})
type PublishedKey = z.infer<typeof jwkSchema>

export const keySetSchema = z.looseObject({ keys: z.array(z.unknown()).max(keysMax) })

/**
 * Imports what can verify one of the algorithms and passes over the rest: an issuer may publish
 * keys for other purposes. Throws a plain `Error` for a set in which two keys answer to one name.
 */
export async function importKeys(
  published: readonly unknown[],
  algorithms: readonly TokenAlgorithm[],
): Promise<Keys> {
  const keys = new Map<string, Map<TokenAlgorithm, CryptoKey>>()
  for (const entry of published) {
    const { data: jwk } = jwkSchema.safeParse(entry)
    if (jwk === undefined) continue
    for (const [algorithm, key] of await importKey(jwk, algorithms)) {
      const ofKid = keys.getOrInsert(jwk.kid, new Map())
      if (ofKid.has(algorithm)) throw new Error(`two keys for ${algorithm} share a kid`)
      ofKid.set(algorithm, key)
    }
  }
  return keys
}

async function importKey(
  jwk: PublishedKey,
  algorithms: readonly TokenAlgorithm[],
): Promise<[TokenAlgorithm, CryptoKey][]> {
  const imported: [TokenAlgorithm, CryptoKey][] = []
  for (const algorithm of algorithms.filter((one) => fits(jwk, one))) {
    const key = await importPublic(jwk, algorithm)
    if (key !== undefined) imported.push([algorithm, key])
  }
  return imported
}

/** Key type, curve and purpose (RFC 7517, 4) decide, never the token's header alone. */
function fits(jwk: PublishedKey, algorithm: TokenAlgorithm): boolean {
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return false
  if (jwk.use !== undefined && jwk.use !== 'sig') return false
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify')) return false
  switch (algorithm) {
    case 'EdDSA':
      return jwk.kty === 'OKP' && jwk.crv === 'Ed25519'
    case 'ES256':
      return jwk.kty === 'EC' && jwk.crv === 'P-256'
    case 'RS256':
    case 'PS256':
      return jwk.kty === 'RSA' && rsaBits(jwk.n ?? '') >= rsaBitsMin
    case 'HS256':
      return false
  }
}

function rsaBits(modulus: string): number {
  return Buffer.from(modulus, 'base64url').byteLength * 8
}

/** Undefined for a point off its curve and the like: a token that names this key finds none. */
async function importPublic(
  jwk: PublishedKey,
  algorithm: TokenAlgorithm,
): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK(publicMembers(jwk), algorithm)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    return undefined
  }
}

/** Only these are taken, whatever else the set holds. */
function publicMembers({ kty, crv, x, y, n, e }: PublishedKey): JWK {
  return {
    kty,
    ...(crv === undefined ? {} : { crv }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
    ...(n === undefined ? {} : { n }),
    ...(e === undefined ? {} : { e }),
  }
}

/** A shared secret for HS256, base64url. Throws a plain `Error` for one too short or ill-formed. */
export async function importSharedSecret(text: string, kid: string): Promise<Keys> {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw new Error('the HS256 key is not base64url')
  if (bytes.byteLength < hmacBytesMin) {
    throw new Error(`the HS256 key is shorter than ${hmacBytesMin} bytes`)
  }
  const key = await crypto.subtle.importKey(
    'raw',
    bytes,
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  return new Map([[kid, new Map<TokenAlgorithm, CryptoKey>([['HS256', key]])]])
}
