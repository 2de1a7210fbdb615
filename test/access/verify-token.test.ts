import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import { tokenAgeSecondsMax } from '#core/access/verify-token.ts'
import { memorySecretReader } from '#test/secret/memory-secret-reader.ts'
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

const algorithms = ['EdDSA', 'ES256', 'RS256', 'PS256'] as const
const [EdDSA, ES256, RS256, PS256] = await Promise.all([
  signingKey('EdDSA', 'key-EdDSA'),
  signingKey('ES256', 'key-ES256'),
  signingKey('RS256', 'key-RS256'),
  signingKey('PS256', 'key-PS256'),
])
const keys = { EdDSA, ES256, RS256, PS256 }
const good = EdDSA

const open = () =>
  openWorld({
    document: accessDocument({ jwks: { keys: Object.values(keys).map((key) => key.publicJwk) } }),
  })

async function verdictOf(text: string): Promise<string> {
  const { access } = await open()
  return await verdict(access, `Bearer ${text}`)
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs exactly these texts with the good key. */
async function signedRaw(header: string, payload: string): Promise<string> {
  const input = `${encode(header)}.${encode(payload)}`
  const signature = await crypto.subtle.sign('Ed25519', good.privateKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

const goodHeader = '{"alg":"EdDSA","kid":"key-EdDSA"}'
function payloadText(members: string): string {
  const seconds = testClock().seconds()
  return `{"iss":"${issuerName}","aud":"${audience}","sub":"a","jti":"j","iat":${seconds},"exp":${seconds + 60}${members}}`
}

test.each(algorithms)('a %s token is admitted', async (alg) => {
  const clock = testClock()
  expect(await verdictOf(await token(keys[alg], clock))).toBe('ok')
})

test('what the token grants is cut down to what its issuer may grant', async () => {
  const { access, clock } = await open()
  const scope = 'jobs:read jobs:write:scoring  desk:a'
  const principal = await access.authenticate(`Bearer ${await token(good, clock, { scope })}`)
  expect(principal).toMatchObject({
    issuer: issuerName,
    subject: 'service-a',
    tokenId: 'token-1',
    keyId: 'key-EdDSA',
    expiresAt: clock.seconds() + 300,
  })
  expect([...principal.scopes]).toEqual(['jobs:read', 'desk:a'])
})

const seconds = testClock().seconds()
test.each([
  ['another audience', { aud: 'other' }, 'token.audience_mismatch'],
  ['no audience', { aud: undefined }, 'token.claim_missing.aud'],
  ['an unknown issuer', { iss: 'https://issuer.example.evil' }, 'token.issuer_unknown'],
  ['no issuer', { iss: undefined }, 'token.issuer_unknown'],
  ['an issuer in a list', { iss: [issuerName] }, 'token.issuer_unknown'],
  ['no subject', { sub: undefined }, 'token.claim_missing.sub'],
  ['a numeric subject', { sub: 42 }, 'token.claim_invalid.sub'],
  ['an empty subject', { sub: '' }, 'token.claim_invalid.sub'],
  ['a subject of 257 characters', { sub: 'a'.repeat(257) }, 'token.claim_invalid.sub'],
  ['no id', { jti: undefined }, 'token.claim_missing.jti'],
  ['an empty id', { jti: '' }, 'token.claim_invalid.jti'],
  ['no expiry', { exp: undefined }, 'token.claim_missing.exp'],
  ['an expiry in text', { exp: '9999999999' }, 'token.claim_invalid.exp'],
  ['half a second of expiry', { exp: seconds + 60.5 }, 'token.claim_invalid.exp'],
  ['no issue time', { iat: undefined }, 'token.claim_missing.iat'],
  ['a scope that is a list', { scope: ['jobs:read'] }, 'token.claim_invalid.scope'],
  ['an expiry just past the leeway', { exp: seconds - 30 }, 'token.expired'],
  ['an issue time just past the leeway', { iat: seconds + 31 }, 'token.issued_in_future'],
  ['a start just past the leeway', { nbf: seconds + 31 }, 'token.not_yet_valid'],
  [
    'an age just past a day',
    { iat: seconds - tokenAgeSecondsMax - 31, exp: seconds + 60 },
    'token.too_old',
  ],
])('%s is refused', async (_, claims, reason) => {
  expect(await verdictOf(await token(good, testClock(), claims))).toBe(reason)
})

test.each([
  ['an expiry within the leeway', { exp: seconds - 29 }],
  ['an issue time within the leeway', { iat: seconds + 30 }],
  ['a list of audiences with ours', { aud: ['other', audience] }],
  ['no scope at all', { scope: undefined }],
])('%s is admitted', async (_, claims) => {
  expect(await verdictOf(await token(good, testClock(), claims))).toBe('ok')
})

test.each([
  ['no key id', '{"alg":"EdDSA"}', 'token.key_id_missing'],
  ['an empty key id', '{"alg":"EdDSA","kid":""}', 'token.header_invalid'],
  ['a numeric key id', '{"alg":"EdDSA","kid":1}', 'token.header_invalid'],
  ['an unknown key id', '{"alg":"EdDSA","kid":"other"}', 'token.key_unknown'],
  ['the key id of another type of key', '{"alg":"EdDSA","kid":"key-RS256"}', 'token.key_unknown'],
  ['an unknown algorithm', '{"alg":"ES512","kid":"key-EdDSA"}', 'token.algorithm_not_allowed'],
  [
    'the algorithm in lower case',
    '{"alg":"eddsa","kid":"key-EdDSA"}',
    'token.algorithm_not_allowed',
  ],
  [
    'a critical extension',
    '{"alg":"EdDSA","kid":"key-EdDSA","crit":["b64"],"b64":false}',
    'token.critical_header',
  ],
  [
    'an algorithm named twice',
    '{"alg":"none","alg":"EdDSA","kid":"key-EdDSA"}',
    'token.member_repeated',
  ],
  ['a header that is a list', '["EdDSA"]', 'token.malformed'],
  ['a header that is no JSON', '{alg}', 'token.malformed'],
])('%s in the header is refused though the signature is good', async (_, header, reason) => {
  expect(await verdictOf(await signedRaw(header, payloadText('')))).toBe(reason)
})

test.each([
  [
    'an expiry beyond all numbers',
    payloadText('').replace(/"exp":\d+/, '"exp":1e400'),
    'token.claim_invalid.exp',
  ],
  ['a subject named twice', payloadText(',"sub":"root"'), 'token.member_repeated'],
  [
    'a subject named twice, once escaped',
    payloadText(',"s\\u0075b":"root"'),
    'token.member_repeated',
  ],
  [
    'a member named twice deeper down',
    payloadText(',"x":[{"y":1,"y":2}]'),
    'token.member_repeated',
  ],
  ['a payload that is a string', '"hello"', 'token.malformed'],
  ['an empty payload', '', 'token.malformed'],
])('%s is refused though the signature is good', async (_, payload, reason) => {
  expect(await verdictOf(await signedRaw(goodHeader, payload))).toBe(reason)
})

test('the raw tokens of these tests are good but for what each case names', async () => {
  expect(await verdictOf(await signedRaw(goodHeader, payloadText(',"x":[{"y":1},{"y":2}]')))).toBe(
    'ok',
  )
})

test.each(['none', 'None', 'NONE', 'nOnE'])(
  'alg %s is refused, with and without a signature',
  async (alg) => {
    const input = `${encode({ alg, kid: 'key-EdDSA' })}.${encode(payloadText(''))}`
    expect(await verdictOf(`${input}.`)).toBe('token.unsigned')
    expect(await verdictOf(`${input}.${encode('x'.repeat(64))}`)).toBe(
      'token.algorithm_not_allowed',
    )
  },
)

test('HS256 signed with the RSA public key in any of its spellings is refused', async () => {
  const { publicJwk } = keys.RS256
  const publicKey = await importJWK({ ...publicJwk }, 'RS256')
  if (publicKey instanceof Uint8Array) throw new Error('not a public key')
  const pem = await exportSPKI(publicKey)
  for (const secret of [pem, `${pem}\n`, JSON.stringify(publicJwk), publicJwk.n ?? '']) {
    const input = `${encode({ alg: 'HS256', kid: 'key-RS256' })}.${encode(payloadText(''))}`
    const signature = createHmac('sha256', secret).update(input).digest('base64url')
    expect(await verdictOf(`${input}.${signature}`)).toBe('token.algorithm_not_allowed')
  }
})

test('an RS256 key does not verify PS256, though both are RSA', async () => {
  const disguised = { ...keys.PS256, kid: 'key-RS256' }
  expect(await verdictOf(await token(disguised, testClock()))).toBe('token.key_unknown')
})

test('a signature by a key of the same name but not ours is refused', async () => {
  const forged = await signingKey('EdDSA', 'key-EdDSA')
  expect(await verdictOf(await token(forged, testClock()))).toBe('token.signature_invalid')
})

test('a key that the token brings along is not looked at', async () => {
  const own = await signingKey('EdDSA', 'own')
  const header = {
    jwk: own.publicJwk,
    jku: 'https://evil.example/keys',
    x5u: 'https://evil.example',
  }
  expect(await verdictOf(await token(own, testClock(), {}, header))).toBe('token.key_unknown')
})

test('another spelling of a good token is refused', async () => {
  const { access, clock } = await open()
  const text = await token(good, clock)
  const [header = '', payload = '', signature = ''] = text.split('.')
  // 64 bytes leave two spare bits in the last character: four spellings of one signature.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(signature.at(-1) ?? '')
  const spare = `${signature.slice(0, -1)}${alphabet[last ^ 1]}`
  const canonical = [
    `${header}.${payload}.${spare}`,
    `${header}.${payload}.${signature}==`,
    `${header}=.${payload}.${signature}`,
  ]
  for (const other of canonical) {
    expect(await verdict(access, `Bearer ${other}`)).toBe('token.not_canonical')
  }
  for (const other of [`${text} `, ` ${text}`, `${header}. ${payload}.${signature}`, `${text}\n`]) {
    expect(await verdict(access, `Bearer ${other}`)).toBe('token.header_malformed')
  }
  expect(await verdict(access, `Bearer ${text}`)).toBe('ok')
})

test.each([
  ['nothing', undefined, 'token.missing'],
  ['an empty header', '', 'token.header_malformed'],
  ['another scheme', 'Basic YTpi', 'token.header_malformed'],
  ['the scheme alone', 'Bearer ', 'token.header_malformed'],
  ['two tokens', 'Bearer a.b.c, Bearer a.b.c', 'token.header_malformed'],
  ['two parts', 'Bearer YQ.YQ', 'token.malformed'],
  ['the five parts of an encrypted token', 'Bearer YQ.YQ.YQ.YQ.YQ', 'token.malformed'],
  ['8,193 characters', `Bearer ${'A'.repeat(8_193)}`, 'token.too_long'],
])('%s instead of a token is refused', async (_, authorization, reason) => {
  const { access } = await open()
  expect(await verdict(access, authorization)).toBe(reason)
})

test('a token type that the issuer does not set is refused where the access file asks for one', async () => {
  const document = accessDocument({ jwks: { keys: [good.publicJwk] } }, ['EdDSA'])
  const issuers = document.issuers.map((entry) => ({ ...entry, typ: 'at+jwt' }))
  const { access, clock } = await openWorld({ document: { ...document, issuers } })
  expect(await verdict(access, `Bearer ${await token(good, clock)}`)).toBe('token.type_mismatch')
  const other = await token(good, clock, {}, { typ: 'JWT' })
  expect(await verdict(access, `Bearer ${other}`)).toBe('token.type_mismatch')
  const right = await token(good, clock, {}, { typ: 'at+jwt' })
  expect(await verdict(access, `Bearer ${right}`)).toBe('ok')
})

test('HS256 takes its key from the secret store and nothing else', async () => {
  const secrets = memorySecretReader()
  const secret = Buffer.alloc(32, 7)
  secrets.put('postern/token', { key: secret.toString('base64url') })
  const source = { secret: 'secret:postern/token#key', kid: 'shared-1' }
  const world = await openWorld({ document: accessDocument(source, ['HS256']) }, { secrets })
  const input = `${encode({ alg: 'HS256', kid: 'shared-1' })}.${encode(payloadText(''))}`
  const sign = (key: Uint8Array) => createHmac('sha256', key).update(input).digest('base64url')
  expect(await verdict(world.access, `Bearer ${input}.${sign(secret)}`)).toBe('ok')
  const wrong = `Bearer ${input}.${sign(Buffer.alloc(32, 8))}`
  expect(await verdict(world.access, wrong)).toBe('token.signature_invalid')
})
