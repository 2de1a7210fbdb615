import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { jsonOf } from './json-of.ts'
import { PlanRefused } from './plan-error.ts'

/** Bytes; a signature by a key has some hundred, one with a log entry some thousand. */
export const bundleBytesMax = 65_536

/** Bytes whose signature was right; made by `verifyBundle` alone. */
export type VerifiedBytes = { readonly bytes: Uint8Array }

const base64 = z.base64().max(bundleBytesMax)

/**
 * A Sigstore bundle as `cosign sign-blob --key … --bundle` writes it. What it says beside the
 * signature (hints, log entries) is not believed, and not read: the key is ours.
 */
const bundleSchema = z.object({
  mediaType: z.enum([
    'application/vnd.dev.sigstore.bundle.v0.3+json',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
  ]),
  messageSignature: z.object({
    messageDigest: z.object({ algorithm: z.literal('SHA2_256'), digest: base64 }),
    signature: base64,
  }),
})

/**
 * The public key of whoever signs plans: ECDSA on P-256, as `cosign generate-key-pair` makes it, or
 * Ed25519. Throws `ConfigError`: there is no judging without it.
 */
export function readPlanKey(pem: string, path: string): KeyObject {
  const key = publicKeyOf(pem)
  const isP256 =
    key?.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  if (key !== undefined && (isP256 || key.asymmetricKeyType === 'ed25519')) return key
  throw new ConfigError([
    `POSTERN_DRIFT_PLAN_KEY_FILE: ${path} holds no PEM of a public key, P-256 or Ed25519`,
  ])
}

function publicKeyOf(pem: string): KeyObject | undefined {
  // Node would make the public key of a private one, which does not belong here.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) return undefined
  try {
    return createPublicKey(pem)
  } catch {
    return undefined
  }
}

/** Offline: no log, no clock, one key. Throws `PlanRefused`. */
export function verifyBundle(
  bytes: Uint8Array,
  { bundle, key }: { readonly bundle: Uint8Array; readonly key: KeyObject },
): VerifiedBytes {
  const parsed = bundleSchema.safeParse(jsonOf(bundle))
  if (!parsed.success) {
    throw new PlanRefused('signature', 'The signature is no Sigstore bundle of version 0.3.')
  }
  const { messageDigest, signature } = parsed.data.messageSignature
  const said = Buffer.from(messageDigest.digest, 'base64')
  const own = createHash('sha256').update(bytes).digest()
  const isOfThese = said.length === own.length && timingSafeEqual(said, own)
  if (!isOfThese || !isSigned(bytes, Buffer.from(signature, 'base64'), key)) {
    throw new PlanRefused('signature', 'The signature is not of this manifest by the key we have.')
  }
  return { bytes }
}

function isSigned(bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  // Ed25519 has its hash within.
  const hash = key.asymmetricKeyType === 'ec' ? 'sha256' : null
  try {
    return verify(hash, bytes, key, signature)
  } catch {
    return false
  }
}
