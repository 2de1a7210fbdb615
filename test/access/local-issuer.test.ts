import { expect, test } from 'bun:test'
import { importJWK, SignJWT } from 'jose'
import { freshIssuerKeys, succeedIssuerKeys } from '#core/access/issuer-keys.ts'
import { personOf } from '#core/access/principal.ts'
import { ConfigError } from '#core/config.ts'
import { personOf as actingPerson } from '#core/revocation/revocation.ts'
import { testCaller } from '#test/support/job-engine.ts'
import { bearer, localDocument, localName, minter, testIssuer } from './issuer-world.ts'
import {
  accessDocument,
  audience,
  issuerName,
  openWorld,
  signingKey,
  testClock,
  token,
  verdict,
} from './world.ts'

const [localEntry] = localDocument.issuers
if (localEntry === undefined) throw new Error('the local document has an issuer')

async function problemsOf(change: object, hasIssuer = true): Promise<string> {
  const document = { ...localDocument, issuers: [Object.assign({}, localEntry, change)] }
  const localIssuer = hasIssuer ? await testIssuer() : undefined
  try {
    ;(await openWorld({ document }, { localIssuer })).access.close()
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n')
    throw error
  }
}

const foreign = await signingKey('EdDSA', 'key-1')

test.each([
  ['without a local issuer', {}, false, 'set POSTERN_ISSUER'],
  ['of another name', { issuer: 'https://other.example' }, true, localName],
  ['with an algorithm that it has not', { algorithms: ['EdDSA', 'ES256'] }, true, 'EdDSA only'],
  ['with a shared secret', { algorithms: ['HS256'] }, true, 'HS256'],
  ['that are not', { keys: { local: false } }, true, 'keys'],
  ['beside others', { keys: { local: true, jwksUrl: 'https://a.example' } }, true, 'keys'],
  [
    'that may make more tokens',
    { scopes: ['jobs:read', 'tokens:mint'] },
    true,
    'no token makes its own successor',
  ],
  [
    'under keys from elsewhere',
    { keys: { jwks: { keys: [foreign.publicJwk] } } },
    true,
    '"keys": {"local": true}',
  ],
])('an access file with local keys %s is refused', async (_, change, hasIssuer, text) => {
  expect(await problemsOf(change, hasIssuer)).toContain(text)
})

test('the document these cases start from is good', async () => {
  expect(await problemsOf({})).toBe('')
})

test('a token of the local issuer is admitted with the scopes of the file, and names who had it made', async () => {
  const issuer = await testIssuer()
  const { access, clock } = await openWorld({ document: localDocument }, { localIssuer: issuer })
  const scopes = ['jobs:read', 'queues:admin', 'tokens:mint']
  const principal = await access.authenticate(await bearer(issuer, clock, { scopes }))
  expect(principal).toMatchObject({ issuer: localName, subject: 'service-a', tokenId: 'token-1' })
  expect([...principal.scopes]).toEqual(['jobs:read'])
  expect(principal.mintedBy).toBe(`${minter.issuer} ${minter.subject}`)
  expect(personOf(principal)).toBe(`${minter.issuer} ${minter.subject}`)
})

test.each([
  ['without who had it made', {}],
  ['made by nobody', { act: { iss: issuerName, sub: '' } }],
  ['made by an issuer with white space', { act: { iss: 'https://a b', sub: 'c' } }],
  ['made by more than one', { act: { iss: issuerName, sub: 'a', act: { iss: 'b', sub: 'c' } } }],
  ['made by a text', { act: 'operator' }],
])('a token with the local key, yet %s, is none of ours', async (_, claims) => {
  const members = await freshIssuerKeys()
  const localIssuer = await testIssuer(members)
  const { access, clock } = await openWorld({ document: localDocument }, { localIssuer })
  const signed = await new SignJWT({ scope: 'jobs:read', ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: localIssuer.published().keyIds[0] ?? '' })
    .setIssuer(localName)
    .setAudience(audience)
    .setSubject('service-a')
    .setJti('token-1')
    .setIssuedAt(clock.seconds())
    .setExpirationTime(clock.seconds() + 300)
    .sign(await importJWK(JSON.parse(members['current'] ?? ''), 'EdDSA'))
  expect(await verdict(access, `Bearer ${signed}`)).toBe('token.claim_invalid.act')
})

test('what another issuer writes into act makes nobody another person', async () => {
  const document = accessDocument({ jwks: { keys: [foreign.publicJwk] } }, ['EdDSA'])
  const { access, clock } = await openWorld({ document })
  const act = { iss: issuerName, sub: 'somebody-else' }
  const principal = await access.authenticate(`Bearer ${await token(foreign, clock, { act })}`)
  expect(principal.mintedBy).toBeUndefined()
  expect(personOf(principal)).toBe(`${issuerName} service-a`)
})

test('another issuer cannot sign under the local name, nor the local one under another', async () => {
  const issuer = await testIssuer()
  const document = {
    ...localDocument,
    issuers: [
      localEntry,
      ...accessDocument({ jwks: { keys: [foreign.publicJwk] } }, ['EdDSA']).issuers,
    ],
  }
  const { access, clock } = await openWorld({ document }, { localIssuer: issuer })
  const act = { iss: issuerName, sub: 'operator' }
  const forged = await token(foreign, clock, { iss: localName, act })
  expect(await verdict(access, `Bearer ${forged}`)).toBe('token.key_unknown')
  const kid = issuer.published().keyIds[0] ?? ''
  const named = await token({ ...foreign, kid }, clock, { iss: localName, act })
  expect(await verdict(access, `Bearer ${named}`)).toBe('token.signature_invalid')
})

test('who may mint tokens is dead with all that it had made, once its subject is revoked', async () => {
  const issuer = await testIssuer()
  const { access, clock, denyList } = await openWorld(
    { document: localDocument },
    { localIssuer: issuer },
  )
  const mine = await bearer(issuer, clock)
  const others = await bearer(issuer, clock, { minter: { ...minter, subject: 'colleague' } })
  expect([await verdict(access, mine), await verdict(access, others)]).toEqual(['ok', 'ok'])
  denyList.deny(minter.issuer, 'sub', minter.subject)
  expect(await verdict(access, mine)).toBe('token.revoked')
  expect(await verdict(access, others)).toBe('ok')
  denyList.deny(minter.issuer, 'iss', '')
  expect(await verdict(access, others)).toBe('token.revoked')
})

test('for a revocation too, who mints is one with what it had made', async () => {
  const issuer = await testIssuer()
  const { access, clock } = await openWorld({ document: localDocument }, { localIssuer: issuer })
  const minted = await access.authenticate(await bearer(issuer, clock))
  const { principal, ...rest } = testCaller
  expect(actingPerson({ ...rest, principal: minted })).toBe(
    actingPerson({ ...rest, principal: { ...principal, ...minter } }),
  )
})

test('a version that is taken over signs and verifies at once, and what it does not know is dead', async () => {
  const members = await freshIssuerKeys()
  const issuer = await testIssuer(members)
  const { access, clock } = await openWorld({ document: localDocument }, { localIssuer: issuer })
  const before = await bearer(issuer, clock)
  const principal = await access.authenticate(before)
  expect(access.authenticate(before)).toBe(principal)
  await issuer.adopt(await succeedIssuerKeys(members))
  expect(await verdict(access, before)).toBe('ok')
  const after = await bearer(issuer, clock)
  expect(await verdict(access, after)).toBe('ok')
  await issuer.adopt(await freshIssuerKeys())
  expect([await verdict(access, before), await verdict(access, after)]).toEqual([
    'token.key_unknown',
    'token.key_unknown',
  ])
  expect(await verdict(access, await bearer(issuer, clock))).toBe('ok')
})

test('a version that holds no keys is not taken over, and the one before goes on', async () => {
  const issuer = await testIssuer()
  const { access, clock } = await openWorld({ document: localDocument }, { localIssuer: issuer })
  const etag = issuer.published().etag
  await expect(issuer.adopt({ current: 'x', next: 'y' })).rejects.toThrow('no private Ed25519 key')
  expect(issuer.published().etag).toBe(etag)
  expect(await verdict(access, await bearer(issuer, clock))).toBe('ok')
})

test('the published set has another tag with other keys, and the same one with the same', async () => {
  const members = await freshIssuerKeys()
  const [one, two] = [await testIssuer(members), await testIssuer(members)]
  expect(one.published().etag).toBe(two.published().etag)
  await two.adopt(await succeedIssuerKeys(members))
  expect(one.published().etag).not.toBe(two.published().etag)
})

test('a token is refused after its time, whatever the clock of who made it', async () => {
  const issuer = await testIssuer()
  const clock = testClock()
  const { access } = await openWorld({ document: localDocument }, { localIssuer: issuer }, clock)
  const authorization = await bearer(issuer, clock, { expiresAt: clock.seconds() + 1 })
  expect(await verdict(access, authorization)).toBe('ok')
  clock.advance(31_000)
  expect(await verdict(access, authorization)).toBe('token.expired')
})
