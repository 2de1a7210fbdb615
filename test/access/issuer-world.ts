import type { AccessDocument } from '#core/access/access-file.ts'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { type LocalIssuer, openLocalIssuer } from '#core/access/local-issuer.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { accessDocument, audience, type TestClock } from './world.ts'

export const localName = 'https://postern.example'

/** An access file whose only issuer is the local one. */
export const localDocument: AccessDocument = {
  ...accessDocument({ local: true }, ['EdDSA']),
  issuers: [
    {
      issuer: localName,
      audiences: [audience],
      algorithms: ['EdDSA'],
      keys: { local: true },
      scopes: ['jobs:read', 'desk:a'],
    },
  ],
}

export async function testIssuer(members?: SecretMembers): Promise<LocalIssuer> {
  return await openLocalIssuer({
    ...{ name: localName, ttlSecondsMax: 900, jwksMaxAgeSeconds: 300 },
    members: members ?? (await freshIssuerKeys()),
  })
}

export const minter = { issuer: 'https://issuer.example', subject: 'operator' }

/** A token that is good in everything; `Bearer` and all. */
export async function bearer(
  issuer: LocalIssuer,
  clock: TestClock,
  changes: Partial<Parameters<LocalIssuer['sign']>[0]> = {},
): Promise<string> {
  const { token } = await issuer.sign({
    ...{ tokenId: 'token-1', subject: 'service-a', audience, scopes: ['jobs:read'], minter },
    ...{ issuedAt: clock.seconds(), expiresAt: clock.seconds() + 300, typ: 'JWT' },
    ...changes,
  })
  return `Bearer ${token}`
}

/** The texts that must never leave: `d` of each key. */
export function privateTexts(members: SecretMembers): readonly string[] {
  return Object.values(members).map((text) => String(JSON.parse(text).d))
}
