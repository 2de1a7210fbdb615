import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { type IssuerRules, tokenAlgorithms } from './access-file.ts'
import { type KeySet, keysUnavailable } from './key-set.ts'
import type { Principal } from './principal.ts'
import { hasUniqueMembers } from './unique-members.ts'

/** Seconds; covers clocks that NTP keeps and no more. */
export const leewaySeconds = 30
/** Seconds since `iat`, whatever `exp` says: a service fetches a token a day at the least. */
export const tokenAgeSecondsMax = 86_400
/** Characters; half of what Bun takes as a header block. */
const tokenCharsMax = 8_192
/** Characters of a token's scopes, parted by spaces. */
const scopeCharsMax = 4_096
const requiredClaims = ['exp', 'iat', 'sub', 'iss', 'aud', 'jti']
/** Seconds; what a signing key that does not work is worth waiting for. */
const unusableKeyRetrySeconds = 10

/** One issuer in force. */
export type Issuer = { readonly rules: IssuerRules; readonly keys: KeySet }

const headerSchema = z.object({
  alg: z.string(),
  kid: z.string().min(1).max(256),
})
const bounded = z.string().min(1).max(256)
const claimsSchema = z.object({
  sub: bounded,
  jti: bounded,
  iat: z.int().positive(),
  exp: z.int().positive(),
  scope: z.string().max(scopeCharsMax).default(''),
})
/** RFC 8693, 4.1. A token of the local issuer that does not say who had it made is none of ours. */
const mintedClaimsSchema = claimsSchema.extend({
  act: z.strictObject({ iss: z.string().regex(/^\S{1,256}$/), sub: bounded }),
})

/**
 * The principal of a compact JWT, every check done but that of the deny list. Throws
 * `auth.token_rejected` with a reason from a closed set, or `auth.keys_unavailable`. No jose error
 * leaves this function: they carry the payload.
 */
export async function verifyToken(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  now: Date,
): Promise<Principal> {
  const { header, issuerName } = parseToken(token)
  const issuer = typeof issuerName === 'string' ? issuers.get(issuerName) : undefined
  if (issuer === undefined) reject('token.issuer_unknown')
  const { rules, keys } = issuer
  const algorithm = tokenAlgorithms.find((known) => known === header.alg)
  if (algorithm === undefined || !rules.algorithms.includes(algorithm)) {
    reject('token.algorithm_not_allowed')
  }
  const key = await keys.find(header.kid, algorithm)
  const payload = await verifySignature(token, key, {
    algorithms: [algorithm],
    issuer: rules.issuer,
    audience: rules.audiences,
    requiredClaims,
    clockTolerance: leewaySeconds,
    maxTokenAge: tokenAgeSecondsMax,
    currentDate: now,
    ...(rules.typ === undefined ? {} : { typ: rules.typ }),
  })
  const claims = parseClaims(claimsSchema, payload)
  return {
    issuer: rules.issuer,
    subject: claims.sub,
    tokenId: claims.jti,
    keyId: header.kid,
    scopes: new Set(claims.scope.split(' ').filter((scope) => rules.scopes.includes(scope))),
    expiresAt: Math.min(claims.exp, claims.iat + tokenAgeSecondsMax),
    ...('local' in rules.keys ? { mintedBy: minterIn(payload) } : {}),
  }
}

/** `issuer subject`. Of anybody else's token `act` means nothing: he writes there what he likes. */
function minterIn(payload: JWTPayload): string {
  const { act } = parseClaims(mintedClaimsSchema, payload)
  return `${act.iss} ${act.sub}`
}

type Parsed = {
  readonly header: z.infer<typeof headerSchema>
  readonly issuerName: unknown
}

/** Shape only; nothing in here has been verified yet. */
function parseToken(token: string): Parsed {
  if (token.length > tokenCharsMax) reject('token.too_long')
  const parts = token.split('.')
  if (parts.length !== 3) reject('token.malformed')
  const [headerPart = '', payloadPart = '', signaturePart = ''] = parts
  // Two spellings of one token would let a cache or a deny list see two tokens.
  if (!parts.every(isCanonical)) reject('token.not_canonical')
  if (signaturePart === '') reject('token.unsigned')
  const header = parseMembers(headerPart)
  if ('crit' in header || 'b64' in header) reject('token.critical_header')
  if (!('kid' in header)) reject('token.key_id_missing')
  const parsed = headerSchema.safeParse(header)
  if (!parsed.success) reject('token.header_invalid')
  return { header: parsed.data, issuerName: parseMembers(payloadPart)['iss'] }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

const membersSchema = z.record(z.string(), z.unknown())

function parseMembers(part: string): Readonly<Record<string, unknown>> {
  const text = Buffer.from(part, 'base64url').toString('utf8')
  const parsed = membersSchema.safeParse(parseJson(text))
  if (!parsed.success) reject('token.malformed')
  if (!hasUniqueMembers(text)) reject('token.member_repeated')
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function verifySignature(
  token: string,
  key: CryptoKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, options)
    return payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) {
      throw keysUnavailable('keys.unusable', unusableKeyRetrySeconds, error)
    }
    return reject(reasonOf(error))
  }
}

/** The first fault by name, from what is verified: no text of the token's own gets into a reason. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) {
    return error.claim === 'iat' ? 'token.too_old' : 'token.expired'
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error)
  if (error instanceof errors.JOSEAlgNotAllowed) return 'token.algorithm_not_allowed'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token.signature_invalid'
  return 'token.malformed'
}

const claimReasons: Readonly<Record<string, string>> = {
  aud: 'token.audience_mismatch',
  iss: 'token.issuer_mismatch',
  nbf: 'token.not_yet_valid',
  iat: 'token.issued_in_future',
  typ: 'token.type_mismatch',
}

function claimReason(error: errors.JWTClaimValidationFailed): string {
  if (error.reason === 'missing') return `token.claim_missing.${knownClaim(error.claim)}`
  if (error.reason === 'invalid') return `token.claim_invalid.${knownClaim(error.claim)}`
  return claimReasons[error.claim] ?? 'token.claim_refused'
}

function knownClaim(claim: string): string {
  return requiredClaims.includes(claim) ? claim : 'other'
}

/** jose takes any type for `sub`, `jti` and `scope`, and infinity for `exp`. */
function parseClaims<Claims>(schema: z.ZodType<Claims>, payload: JWTPayload): Claims {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  return reject(`token.claim_invalid.${String(parsed.error.issues[0]?.path[0])}`)
}

export function reject(reason: string): never {
  throw new PosternError('auth.token_rejected', { reason })
}
