import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importJWK, SignJWT } from 'jose'
import { type AccessDocument, developmentIssuer, mintScope } from './access-file.ts'
import {
  type Ed25519Key,
  ed25519Schema,
  makeEd25519,
  type PublishedEd25519,
  publishedEd25519,
} from './ed25519-key.ts'

/** Who a development token is for, where nothing else is said. */
export const developmentAudience = 'postern'
/** Seconds; the verifier takes no token older than a day. */
export const developmentTtlSecondsMax = 86_400

const keyFileName = 'development-key.json'
const keyFileMode = 0o600

const loopback = ['127.0.0.0/8', '::1/128']

/** The key that `up` and `token mint` sign with; production trusts no issuer that uses it. */
export type DevelopmentKey = {
  readonly kid: string
  readonly privateJwk: Readonly<Ed25519Key>
  /** As it stands in an access file's `jwks`. */
  readonly publicJwk: PublishedEd25519
}

/** The key in the data directory, made at the first call and readable by its owner alone. */
export async function loadOrCreateDevelopmentKey(dataDirectory: string): Promise<DevelopmentKey> {
  const path = join(dataDirectory, keyFileName)
  const made = await makeEd25519()
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const fresh = `${JSON.stringify(made)}\n`
  try {
    await writeFile(path, fresh, { flag: 'wx', mode: keyFileMode })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    await chmod(path, keyFileMode)
  }
  return await developmentKey(ed25519Schema.parse(JSON.parse(await readFile(path, 'utf8'))))
}

async function developmentKey(privateJwk: Ed25519Key): Promise<DevelopmentKey> {
  const publicJwk = await publishedEd25519(privateJwk)
  return { kid: publicJwk.kid, privateJwk, publicJwk }
}

export async function mintDevelopmentToken(options: {
  readonly key: DevelopmentKey
  readonly subject: string
  readonly scopes: readonly string[]
  readonly ttlSeconds: number
  readonly audience: string
  readonly now: Date
}): Promise<string> {
  const { key, subject, scopes, ttlSeconds, audience, now } = options
  const issuedAt = Math.floor(now.getTime() / 1_000)
  return await new SignJWT({ scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setIssuer(developmentIssuer)
    .setAudience(audience)
    .setSubject(subject)
    .setJti(Bun.randomUUIDv7())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(await importJWK(key.privateJwk, 'EdDSA'))
}

/** What the access file of a laptop says: loopback callers with tokens of the development key. */
export function developmentAccess(options: {
  readonly key: DevelopmentKey
  readonly audience: string
  /** All that a development token may be given. */
  readonly scopes: readonly string[]
  readonly callbackPrefixes: readonly string[]
  /** Where there is one, its tokens may grant the same, but for making tokens. */
  readonly localIssuer?: string | undefined
}): AccessDocument {
  const { key, audience, scopes, callbackPrefixes, localIssuer } = options
  const signed = { audiences: [audience], algorithms: ['EdDSA' as const] }
  return {
    zones: { v1: loopback, internal: loopback, probe: loopback },
    trustedProxies: { header: 'x-forwarded-for', proxies: [] },
    issuers: [
      {
        ...signed,
        issuer: developmentIssuer,
        keys: { jwks: { keys: [{ ...key.publicJwk }] } },
        scopes: [...scopes],
      },
      ...(localIssuer === undefined
        ? []
        : [
            {
              ...signed,
              issuer: localIssuer,
              keys: { local: true as const },
              scopes: scopes.filter((scope) => scope !== mintScope),
            },
          ]),
    ],
    // One laptop has nobody to be fair to; a runaway loop still ends in 429.
    limits: { default: { perSecond: 20_000, burst: 40_000 } },
    callbackPrefixes: [...callbackPrefixes],
  }
}
