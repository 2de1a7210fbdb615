// A signed statement is what it says only once its signature has been checked.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'
import { imageTypes, planType, policyType, type Statement, statement } from './evidence.ts'

const envelope = z.object({
  payload: z.base64(),
  payloadType: z.literal('application/vnd.in-toto+json'),
  signatures: z.array(z.object({ sig: z.base64() })).length(1),
})
/** An envelope by itself, or in a bundle of sigstore's, as cosign writes it. */
const signed = z.union([z.object({ dsseEnvelope: envelope }), envelope])

/** A public key, or the identity that a certificate must name. */
export type Signer = { readonly key: KeyObject } | { readonly identity: string }
export interface Signers {
  readonly plan: Signer
  readonly image: Signer
}

export function readSigner(text: string, readText: (path: string) => string): Signer {
  if (text.startsWith('https://')) return { identity: text }
  return { key: createPublicKey(readText(text)) }
}

/** Asks cosign, for a certificate needs the roots that only it keeps fresh. */
export type CheckIdentity = (path: string, claim: Statement, identity: string) => boolean

/**
 * The statement in a file, or why it is none; what type it is of decides whose word is asked for.
 * Undefined is one that nothing here asks for: it counts for nothing.
 */
export function verifiedStatement(
  path: string,
  text: string,
  { signers, checkIdentity }: { signers: Signers; checkIdentity: CheckIdentity },
): Statement | string | undefined {
  const parsed = signed.parse(JSON.parse(text))
  const given = 'dsseEnvelope' in parsed ? parsed.dsseEnvelope : parsed
  const claim = statement.parse(JSON.parse(Buffer.from(given.payload, 'base64').toString()))
  const signer = signerOf(claim.predicateType, signers)
  if (signer === undefined) return undefined
  const isGood =
    'key' in signer ? isSignedBy(signer.key, given) : checkIdentity(path, claim, signer.identity)
  return isGood ? claim : 'its signature is not by whom it has to be'
}

function signerOf(type: string, { plan, image }: Signers): Signer | undefined {
  if (type === planType || type === policyType) return plan
  return imageTypes.some((known) => known === type) ? image : undefined
}

/** What DSSE signs: the type is signed too, so that nothing is read as something else. */
function isSignedBy(
  key: KeyObject,
  { payload, payloadType, signatures }: z.infer<typeof envelope>,
) {
  const body = Buffer.from(payload, 'base64')
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const text = Buffer.concat([Buffer.from(head), body])
  return signatures.every(({ sig }) => verify(algorithm, text, key, Buffer.from(sig, 'base64')))
}
