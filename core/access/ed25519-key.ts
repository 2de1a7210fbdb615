import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { z } from 'zod'

/** 32 bytes in base64url. */
const member = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** RFC 8037, 2. */
export const ed25519Schema = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: member,
  d: member,
})
/** With its private member. */
export type Ed25519Key = z.infer<typeof ed25519Schema>

/** As it stands in a key set; the `kid` is the thumbprint of RFC 7638. */
export type PublishedEd25519 = {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

export async function makeEd25519(): Promise<Ed25519Key> {
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  const { kty, crv, x, d } = ed25519Schema.parse(await exportJWK(pair.privateKey))
  return { kty, crv, x, d }
}

export async function publishedEd25519({ kty, crv, x }: Ed25519Key): Promise<PublishedEd25519> {
  const kid = await calculateJwkThumbprint({ kty, crv, x })
  return { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }
}
