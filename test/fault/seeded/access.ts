import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importJWK, SignJWT } from 'jose'
import { developmentIssuer } from '#core/access/access-file.ts'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
} from '#core/access/development-issuer.ts'
import { makeEd25519, publishedEd25519 } from '#core/access/ed25519-key.ts'
import type { Way } from '#test/support/toxiproxy.ts'

const scopes = [
  ...['jobs:write:scoring', 'jobs:read', 'jobs:cancel', 'metrics:read', 'queues:read'],
  ...['orders:write', 'orders:read', 'market:write', 'market:read'],
  ...['revocations:write', 'revocations:read', 'incidents:read'],
]
const elsewhere = 'https://keys.example'
const ttlSeconds = 3_600
/** Tokens that may be revoked in one run. */
const victims = 3
const unlimited = { perSecond: 1_000_000, burst: 1_000_000 }

export type Victim = { readonly token: string; readonly tokenId: string }

/** Tokens of those who call. */
export type Callers = {
  /** Of a key that stands in the access file, and its subject trades. */
  readonly main: string
  /** Of a key that has to be fetched. */
  readonly fetched: string
  readonly victims: readonly Victim[]
}

/** An access file with a key of its own and an issuer whose keys lie at a server behind `lead`. */
export async function seededAccess(folder: string, lead: (port: number) => Promise<Way>) {
  const own = await loadOrCreateDevelopmentKey(folder)
  const foreign = await makeEd25519()
  const published = await publishedEd25519(foreign)
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => Response.json({ keys: [published] }),
  })
  const way = await lead(server.port ?? 0)
  const audience = developmentAudience
  const base = developmentAccess({ key: own, audience, scopes, callbackPrefixes: [] })
  const document = {
    ...base,
    limits: { default: unlimited },
    issuers: [
      ...base.issuers,
      {
        issuer: elsewhere,
        audiences: [audience],
        algorithms: ['EdDSA'],
        keys: { jwksUrl: `http://127.0.0.1:${way.port}/keys` },
        scopes,
      },
    ],
  }
  const file = join(folder, 'access.json')
  await writeFile(file, JSON.stringify(document))

  async function sign(jwk: typeof foreign, kid: string, claims: Record<string, string>) {
    const issuedAt = Math.floor(Date.now() / 1_000)
    return await new SignJWT({ scope: scopes.join(' '), ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .sign(await importJWK(jwk, 'EdDSA'))
  }
  const ours = (sub: string, jti: string = Bun.randomUUIDv7()) =>
    sign(own.privateJwk, own.kid, { iss: developmentIssuer, sub, jti })

  const callers: Callers = {
    main: await ours('bench'),
    fetched: await sign(foreign, published.kid, {
      ...{ iss: elsewhere, sub: 'from-elsewhere', jti: Bun.randomUUIDv7() },
    }),
    victims: await Promise.all(
      Array.from({ length: victims }, async (_, index) => {
        const tokenId = Bun.randomUUIDv7()
        return { tokenId, token: await ours(`victim-${index}`, tokenId) }
      }),
    ),
  }
  return { file, way, callers, stop: () => server.stop(true) }
}
