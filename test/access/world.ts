import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { z } from 'zod'
import type { AccessDocument, IssuerRules } from '#core/access/access-file.ts'
import { type DenyList, denialKey, deniedBy } from '#core/access/deny-list.ts'
import { type AccessControlOptions, openAccessControl } from '#core/access/open-access-control.ts'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import type { TokenClass } from '#core/revocation/revocation.ts'

/** A clock that only moves when told to. */
export function testClock(start = new Date('2026-03-01T12:00:00Z')) {
  let ms = start.getTime()
  return {
    now: () => new Date(ms),
    seconds: () => Math.floor(ms / 1_000),
    advance(deltaMs: number) {
      ms += deltaMs
    },
  }
}
export type TestClock = ReturnType<typeof testClock>

export type MemoryDenyList = DenyList & {
  deny(issuer: string, claim: TokenClass, value: string): void
  setLoaded(isLoaded: boolean): void
  setHeard(isHeard: boolean): void
}

function memoryDenyList(): MemoryDenyList {
  const denied = new Set<string>()
  const listeners: (() => void)[] = []
  let isLoaded = true
  let isHeard = true
  return {
    deniedBy: (principal) => deniedBy(denied, principal),
    isLoaded: () => isLoaded,
    isHeard: () => isLoaded && isHeard,
    onChange: (listener) => void listeners.push(listener),
    nudge: async () => undefined,
    close: async () => undefined,
    deny(issuer, claim, value) {
      denied.add(denialKey(issuer, claim, value))
      for (const listener of listeners) listener()
    },
    setLoaded(value) {
      isLoaded = value
    },
    setHeard(value) {
      isHeard = value
    },
  }
}

type RecordingAudit = AuditLog & {
  readonly records: AuditRecord[]
  failWith(error: PosternError | undefined): void
}

function recordingAudit(): RecordingAudit {
  const records: AuditRecord[] = []
  let failure: PosternError | undefined
  return {
    records,
    failWith(error) {
      failure = error
    },
    async append(record) {
      if (failure !== undefined) throw failure
      records.push(record)
    },
    note: (record) => void records.push(record),
    flush: async () => undefined,
  }
}

export type SigningKey = {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK & { readonly kty: 'OKP' | 'EC' | 'RSA'; readonly kid: string }
}

export async function signingKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const kty = z.enum(['OKP', 'EC', 'RSA']).parse(jwk.kty)
  return { kid, alg, privateKey, publicJwk: { ...jwk, kty, kid, alg, use: 'sig' } }
}

export const issuerName = 'https://issuer.example'
export const audience = 'postern'

export function accessDocument(
  keys: AccessDocument['issuers'][number]['keys'],
  algorithms: IssuerRules['algorithms'] = ['EdDSA', 'ES256', 'RS256', 'PS256'],
): AccessDocument {
  return {
    zones: { v1: ['10.0.0.0/8', '::1/128'], internal: ['10.1.0.0/16'], probe: [] },
    trustedProxies: {
      header: 'x-forwarded-for',
      proxies: [{ cidrs: ['10.255.0.0/16'], allowPort: false }],
    },
    issuers: [
      {
        issuer: issuerName,
        audiences: [audience],
        algorithms,
        keys,
        scopes: ['jobs:read', 'desk:a'],
      },
    ],
    limits: { default: { perSecond: 10, burst: 20 } },
    callbackPrefixes: ['https://hooks.example/postern/'],
  }
}

type Claims = Readonly<Record<string, unknown>>

/** A token that is good in everything but what is given; `undefined` takes a member away. */
export async function token(
  key: Pick<SigningKey, 'kid' | 'alg' | 'privateKey'>,
  clock: TestClock,
  claims: Claims = {},
  header: Claims = {},
): Promise<string> {
  const payload = {
    iss: issuerName,
    aud: audience,
    sub: 'service-a',
    jti: 'token-1',
    iat: clock.seconds(),
    exp: clock.seconds() + 300,
    scope: 'jobs:read',
    ...claims,
  }
  return await new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...JSON.parse(JSON.stringify(header)) })
    .sign(key.privateKey)
}

export type AccessWorld = Awaited<ReturnType<typeof openWorld>>

export async function openWorld(
  source: AccessControlOptions['source'],
  options: Partial<AccessControlOptions> = {},
  clock = testClock(),
) {
  const denyList = memoryDenyList()
  const audit = recordingAudit()
  const metrics = createMetrics()
  const access = await openAccessControl({
    source,
    mode: 'development',
    denyList,
    audit,
    log: silentLog(),
    metrics,
    now: clock.now,
    ...options,
  })
  return { access, denyList, audit, metrics, clock }
}

/** `ok`, or the reason of the refusal or outage. */
export async function verdict(
  access: { authenticate(authorization: string | undefined): unknown },
  authorization: string | undefined,
): Promise<string> {
  try {
    await access.authenticate(authorization)
    return 'ok'
  } catch (error) {
    if (!(error instanceof PosternError)) throw error
    if (error.detail !== undefined)
      throw new Error('a token refusal must have no detail', { cause: error })
    return error.code === 'auth.token_rejected'
      ? (error.reason ?? '')
      : `${error.code} ${error.reason}`
  }
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'postern-access-'))
  return { path, remove: () => rm(path, { recursive: true }) }
}

/** Waits for something the code under test will do by itself, at most ten seconds. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('it did not happen within ten seconds')
    await Bun.sleep(5)
  }
}
