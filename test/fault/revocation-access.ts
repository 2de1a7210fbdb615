import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importJWK, SignJWT } from 'jose'
import { type AccessDocument, developmentIssuer, mintScope } from '#core/access/access-file.ts'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
} from '#core/access/development-issuer.ts'
import { type Ed25519Key, makeEd25519, publishedEd25519 } from '#core/access/ed25519-key.ts'
import type { TokenClass } from '#core/revocation/revocation.ts'
import { removeAtExit } from '#test/support/server-process.ts'
import { localIssuer } from './rotation-stage.ts'

export const victimScopes = ['jobs:write:scoring', 'jobs:read', 'jobs:read:any']
const scopes = [
  ...victimScopes,
  ...['metrics:read', 'revocations:write', 'revocations:read', 'secrets:read', mintScope],
]
/** High enough never to be what is measured. */
const unlimited = { perSecond: 1_000_000, burst: 1_000_000 }
const ttlSeconds = 3_600
const manyKeysIssuer = 'https://keys.example'

type Signer = { readonly issuer: string; readonly kid: string; readonly jwk: Ed25519Key }

/** A token that is going to be revoked, and how. */
export type Victim = {
  readonly class: TokenClass
  readonly token: string
  readonly revoked: { readonly class: TokenClass; readonly issuer: string; readonly value?: string }
}

export type RevocationAccess = Awaited<ReturnType<typeof revocationAccess>>

/** An access file with an issuer for every token whose issuer is revoked, and a key for every key. */
export async function revocationAccess(counts: { readonly kid: number; readonly iss: number }) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-revocation-'))
  removeAtExit(folder)
  const developmentKey = await loadOrCreateDevelopmentKey(folder)
  const own: Signer = {
    ...{ issuer: developmentIssuer, kid: developmentKey.kid, jwk: developmentKey.privateJwk },
  }
  const keys = await Promise.all(Array.from({ length: counts.kid }, () => signer(manyKeysIssuer)))
  const issuers = await Promise.all(
    Array.from({ length: counts.iss }, (_, at) => signer(`https://issuer-${at}.example`)),
  )
  const base = developmentAccess({
    ...{ key: developmentKey, audience: developmentAudience, scopes, localIssuer },
    callbackPrefixes: [],
  })
  const document: AccessDocument = {
    ...base,
    limits: { default: unlimited },
    issuers: [
      ...base.issuers,
      await entry(manyKeysIssuer, keys),
      ...(await Promise.all(issuers.map((one) => entry(one.issuer, [one])))),
    ],
  }
  let count = 0
  const token = (subject: string, of = scopes) => sign(own, { subject, jti: jtiOf(subject), of })

  return {
    document,
    token: await token('load'),
    officers: [await token('officer-a'), await token('officer-b')] as const,
    /** The next of its class; `sub` of the development issuer also has tokens made. */
    async victim(of: TokenClass): Promise<Victim> {
      count += 1
      const subject = `${of}-${count}`
      const by = (of === 'kid' ? keys.pop() : of === 'iss' ? issuers.pop() : own) ?? own
      const jti = jtiOf(subject)
      const issuer = by.issuer
      const value = { jti, sub: subject, kid: by.kid, iss: undefined }[of]
      return {
        class: of,
        token: await sign(by, { subject, jti, of: by === own ? scopes : victimScopes }),
        revoked: { class: of, issuer, ...(value === undefined ? {} : { value }) },
      }
    },
  }
}

const jtiOf = (subject: string) => `${subject}-${Bun.randomUUIDv7()}`

async function signer(issuer: string): Promise<Signer> {
  const jwk = await makeEd25519()
  return { issuer, jwk, kid: (await publishedEd25519(jwk)).kid }
}

async function entry(issuer: string, signers: readonly Signer[]) {
  const keys = await Promise.all(signers.map(({ jwk }) => publishedEd25519(jwk)))
  return {
    issuer,
    audiences: [developmentAudience],
    algorithms: ['EdDSA' as const],
    keys: { jwks: { keys } },
    scopes: victimScopes,
  }
}

async function sign(
  by: Signer,
  claims: { readonly subject: string; readonly jti: string; readonly of: readonly string[] },
): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1_000)
  return await new SignJWT({ scope: claims.of.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', kid: by.kid, typ: 'JWT' })
    .setIssuer(by.issuer)
    .setAudience(developmentAudience)
    .setSubject(claims.subject)
    .setJti(claims.jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(await importJWK(by.jwk, 'EdDSA'))
}
