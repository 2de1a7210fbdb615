import { z } from 'zod'
import { mintScope } from '#core/access/access-file.ts'
import { mintedScopeCharsMax, notConfigured, type TokenMint } from '#core/access/mint-token.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import { defineRoute, type Route } from '../route.ts'

const scopesMax = 100
/** Seconds; what is configured may be less. */
const ttlSecondsMax = 3_600

/** The local issuer: tokens for operators to hand on, and the keys that verify them. */
export function tokenRoutes({ tokens }: { readonly tokens: TokenMint }): readonly Route[] {
  return [mintRoute(tokens), keySetRoute(tokens)]
}

const mintBody = z.strictObject({
  subject: z
    .string()
    // No white space, and no letter that looks like another one.
    .regex(/^[!-~]{1,128}$/, 'printable ASCII without spaces, at most 128 characters')
    .meta({ description: 'Who the token is for' }),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,128}$/, 'not a scope name'))
    .min(1)
    .max(scopesMax)
    .refine((scopes) => scopes.join(' ').length <= mintedScopeCharsMax, {
      error: `longer than ${mintedScopeCharsMax} characters together`,
    }),
  audience: z.string().min(1).max(256),
  ttl_seconds: z
    .int()
    .min(1)
    .max(ttlSecondsMax)
    .optional()
    .meta({ description: 'Without it as long as this deployment lets a token live' }),
})

const minted = z.strictObject({
  token: z.string(),
  token_id: z.uuid(),
  expires_at: z.iso.datetime(),
  kid: z.string(),
  issuer: z.string(),
})

function mintRoute(tokens: TokenMint): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/tokens',
    zone: 'internal',
    scope: mintScope,
    operationId: 'mint-token',
    summary: 'A token of the local issuer',
    description:
      'Grants at most what the access file lets the local issuer grant, and never this scope. The token carries the caller as `act` (RFC 8693): wherever two principals must agree, the caller and all tokens it had made are one, and revoking its subject revokes them.',
    body: jsonBody(mintBody, {
      example: {
        ...{ subject: 'nightly-report', scopes: ['jobs:read'] },
        ...{ audience: 'postern', ttl_seconds: 900 },
      },
    }),
    answers: { 200: { description: 'Recorded, and shown this once', schema: minted } },
    refusals: ['issuer.not_configured'],
    async handle(c, { body: { ttl_seconds: ttlSeconds, ...request } }) {
      const token = await tokens.mint({ ...request, ttlSeconds }, callerOf(c))
      return answer(c, 200, {
        ...{ token: token.token, token_id: token.tokenId },
        ...{ expires_at: token.expiresAt.toISOString(), kid: token.keyId, issuer: token.issuer },
      })
    },
  })
}

const publicKey = z.strictObject({
  ...{ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() },
  ...{ kid: z.string(), alg: z.literal('EdDSA'), use: z.literal('sig') },
})

function keySetRoute({ issuer }: TokenMint): Route {
  return defineRoute({
    method: 'GET',
    path: '/.well-known/jwks.json',
    // Whoever is sent our tokens verifies them, and is a service as any other.
    zone: 'v1',
    scope: undefined,
    operationId: 'read-issuer-keys',
    summary: 'The keys that verify tokens of the local issuer',
    description:
      'Holds the key that signs, the one that will, and the one that did. Ask again no later than `Cache-Control` says, and when a token names a key that is not there.',
    headers: [{ name: 'If-None-Match', description: 'The `ETag` of the set that is known' }],
    answers: {
      200: {
        description: 'A JWK set (RFC 7517)',
        mediaType: 'application/jwk-set+json',
        schema: z.strictObject({ keys: z.array(publicKey) }),
        headers: [
          { name: 'Cache-Control', description: 'How long the set may be kept' },
          { name: 'ETag', description: 'Changes with the keys' },
        ],
      },
      304: { description: 'As known' },
    },
    refusals: ['issuer.not_configured'],
    handle(c) {
      if (issuer === undefined) throw notConfigured()
      const { text, etag } = issuer.published()
      c.header('cache-control', `public, max-age=${issuer.jwksMaxAgeSeconds}`)
      c.header('etag', etag)
      if (isKnown(c, etag)) return c.body(null, 304)
      return c.body(text, 200, { 'content-type': 'application/jwk-set+json' })
    },
  })
}

/** RFC 9110, 13.1.2: a list, or anything; a proxy may have made a tag weak. */
function isKnown(c: GatewayContext, etag: string): boolean {
  const header = c.req.header('if-none-match') ?? ''
  return header.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
