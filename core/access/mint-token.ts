import type { AuditLog } from '../audit/audit-log.ts'
import { callerRecord } from '../audit/record.ts'
import { type PointedError, PosternError } from '../errors.ts'
import { type IssuerRules, mintScope } from './access-file.ts'
import type { LocalIssuer } from './local-issuer.ts'
import type { Caller } from './principal.ts'

/** Half of what a verifier reads, so that with the longest names a token still has its length. */
export const mintedScopeCharsMax = 2_048

export type MintRequest = {
  readonly subject: string
  readonly scopes: readonly string[]
  readonly audience: string
  /** The longest there is, where it is not said. */
  readonly ttlSeconds: number | undefined
}

export type MintedToken = {
  readonly token: string
  readonly tokenId: string
  readonly keyId: string
  readonly issuer: string
  readonly expiresAt: Date
}

export type TokenMint = {
  /** Undefined without a local issuer. */
  readonly issuer: LocalIssuer | undefined
  /**
   * Signed and recorded when it resolves: what has no record leaves nowhere. Throws
   * `issuer.not_configured`, `request.body_invalid` for more than the access file lets be granted,
   * and `audit.unavailable`.
   */
  mint(request: MintRequest, caller: Caller): Promise<MintedToken>
}

export type TokenMintOptions = {
  readonly issuer: LocalIssuer | undefined
  /** What the access file in force says of it. */
  readonly rules: () => IssuerRules | undefined
  readonly audit: AuditLog
  readonly now: () => Date
}

export function tokenMint({ issuer, rules, audit, now }: TokenMintOptions): TokenMint {
  return {
    issuer,
    async mint(request, caller) {
      const granting = rules()
      if (issuer === undefined) throw notConfigured()
      if (granting === undefined) throw notConfigured('The access file does not name it.')
      const ttlSeconds = request.ttlSeconds ?? issuer.ttlSecondsMax
      const errors = mintFaults({ ...request, ttlSeconds }, granting, issuer.ttlSecondsMax)
      if (errors.length > 0) throw new PosternError('request.body_invalid', { errors })
      const at = now()
      const tokenId = Bun.randomUUIDv7()
      const issuedAt = Math.floor(at.getTime() / 1_000)
      const expiresAt = issuedAt + ttlSeconds
      const { subject, audience } = request
      const scopes = [...new Set(request.scopes)]
      const { token, keyId } = await issuer.sign({
        ...{ tokenId, subject, audience, scopes, issuedAt, expiresAt },
        minter: caller.principal,
        typ: granting.typ ?? 'JWT',
      })
      const minted = { token, tokenId, keyId, issuer: issuer.name }
      const expiry = new Date(expiresAt * 1_000)
      await audit.append(
        callerRecord(caller, {
          ...{ id: Bun.randomUUIDv7(), type: 'token.minted', at, outcome: 'ok' },
          target: `token/${tokenId}`,
          details: {
            ...{ iss: issuer.name, sub: subject, kid: keyId, jti: tokenId, aud: audience },
            ...{ scopes, expiresAt: expiry.toISOString() },
          },
        }),
      )
      return { ...minted, expiresAt: expiry }
    },
  }
}

export function notConfigured(reason = 'This deployment signs no tokens.'): PosternError {
  const detail = `${reason} An operator sets POSTERN_ISSUER and POSTERN_ISSUER_KEYS, and gives the access file an issuer with local keys.`
  return new PosternError('issuer.not_configured', { detail })
}

/** Each scope by itself, so that one too many in a long list is found. */
function mintFaults(
  { scopes, audience, ttlSeconds }: MintRequest & { readonly ttlSeconds: number },
  granting: IssuerRules,
  ttlSecondsMax: number,
): readonly PointedError[] {
  return [
    ...scopes.flatMap((scope, at) => {
      if (scope !== mintScope && granting.scopes.includes(scope)) return []
      return [{ pointer: `/scopes/${at}`, detail: 'the access file lets no minted token grant it' }]
    }),
    ...(granting.audiences.includes(audience)
      ? []
      : [{ pointer: '/audience', detail: 'none of the audiences in the access file' }]),
    ...(ttlSeconds <= ttlSecondsMax
      ? []
      : [{ pointer: '/ttl_seconds', detail: `at most ${ttlSecondsMax} here` }]),
  ]
}
