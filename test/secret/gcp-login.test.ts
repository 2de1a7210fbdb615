import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gcpFederatedLogin } from '#core/secret/gcp/gcp-federation.ts'
import { gcpMetadataLogin, keptLogin } from '#core/secret/gcp/gcp-login.ts'
import { type GcpDouble, gcpDouble } from '../doubles/gcp-double.ts'
import { gcpAudience, impersonationPath } from '../doubles/gcp-logins.ts'
import { strikeOn } from '../doubles/gcp-subject.ts'
import { canary } from './store-contract.ts'

let double: GcpDouble
beforeAll(() => {
  double = gcpDouble()
})
afterEach(() => double.clear())
afterAll(() => double.stop())

async function refusal(login: () => Promise<string>): Promise<string> {
  const error: unknown = await login().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'secret.unavailable' })
  const text = `${JSON.stringify(error)} ${Bun.inspect(error)}`
  expect(text).not.toContain(canary)
  return text
}
const isAccepted = (token: string) => double.isValid(`Bearer ${token}`)

describe('gcp, metadata server:', () => {
  const metadata = () => gcpMetadataLogin({ metadataUrl: double.url })

  test.each(['http://metadata.example.com', 'http://169.254.169.253', 'http://127.example.com'])(
    'plain HTTP to %s is refused',
    (metadataUrl) => {
      expect(() => gcpMetadataLogin({ metadataUrl })).toThrow('plain HTTP is refused')
    },
  )

  test('where Google’s own server is, is the default', () => {
    expect(() => gcpMetadataLogin()).not.toThrow()
    expect(() => gcpMetadataLogin({ metadataUrl: 'http://169.254.169.254' })).not.toThrow()
  })

  test.each([
    ['answers for somebody else', 200, { access_token: canary, expires_in: 9 }, ''],
    ['has no service account', 404, {}, 'Google'],
    ['refuses the scopes', 403, {}, 'Google'],
    ['gives no end', 200, { access_token: canary }, 'Google'],
    ['gives an end that is past', 200, { access_token: canary, expires_in: 0 }, 'Google'],
    ['gives what is no token', 200, { access_token: `a\n${canary}`, expires_in: 9 }, 'Google'],
    ['fails', 503, {}, 'Google'],
    ['throttles', 429, {}, 'Google'],
  ])('a metadata server that %s is an outage', async (_, status, body, flavor) => {
    const headers = { 'metadata-flavor': flavor }
    double.strike({ kind: 'answer', status, headers, body: JSON.stringify(body) })
    await refusal(metadata())
  })

  test('a login that failed is tried again by the next who asks', async () => {
    const login = metadata()
    double.strike({ kind: 'torn' }, { times: 10 })
    await refusal(login)
    double.clear()
    expect(isAccepted(await login())).toBe(true)
  })

  test('twenty who ask at once wait for one login, and for one more when that is refused', async () => {
    const login = metadata()
    const before = double.given.metadata
    const twenty = Array.from({ length: 20 })
    const tokens = new Set(await Promise.all(twenty.map(() => login())))
    const [token = ''] = tokens
    expect(isAccepted(token)).toBe(true)
    const renewed = new Set(await Promise.all(twenty.map(() => login(token))))
    expect([tokens.size, renewed.size, double.given.metadata - before]).toEqual([1, 1, 2])
    expect(renewed.has(token)).toBe(false)
    expect(renewed.has(await login(token))).toBe(true)
    expect(double.given.metadata - before).toBe(2)
  })
})

describe('gcp, a kept token:', () => {
  test.each([
    ['an hour', 3_600, 3_375],
    ['five minutes', 300, 150],
    ['a minute', 60, 30],
  ])('of %s is renewed shortly before its end', async (_, lifeSeconds, keptSeconds) => {
    let now = 0
    let logins = 0
    const logIn = async () => {
      logins += 1
      return { token: `token ${logins}`, expiresAt: now + lifeSeconds * 1000 }
    }
    const login = keptLogin(logIn, () => now)
    expect(await login()).toBe('token 1')
    now = keptSeconds * 1000 - 1
    expect(await login()).toBe('token 1')
    now = keptSeconds * 1000
    expect(await login()).toBe('token 2')
  })
})

describe('gcp, workload identity federation:', () => {
  let folder: string
  let accountFile: string
  let subjectFile: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-gcp-'))
    accountFile = join(folder, 'account.json')
    subjectFile = join(folder, 'subject')
    double.subjects.clear()
    double.subjects.add('subject-1')
    await writeFile(subjectFile, 'subject-1\n')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const account = (changes: object = {}) => ({
    type: 'external_account',
    audience: gcpAudience,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${double.url}/v1/token`,
    credential_source: { file: subjectFile },
    ...changes,
  })
  async function federated(changes: object = {}) {
    await writeFile(accountFile, JSON.stringify(account(changes)))
    return gcpFederatedLogin({ accountFile })
  }
  const impersonation = () => ({
    service_account_impersonation_url: `${double.url}${impersonationPath}`,
  })

  test.each([
    ['type', { type: 'service_account', private_key: canary }],
    ['audience', { audience: '' }],
    ['token_url', { token_url: 'http://sts.example.com/v1/token' }],
    ['token_url', { token_url: 'https://u:p@sts.googleapis.com/v1/token' }],
    [
      'service_account_impersonation_url',
      { service_account_impersonation_url: 'http://iam.example.com/x' },
    ],
    ['credential_source.file', { credential_source: { url: 'http://169.254.169.254/' } }],
    ['credential_source.file', { credential_source: { executable: { command: 'x' } } }],
    ['credential_source.format', { credential_source: { file: 'x', format: { type: 'yaml' } } }],
    [
      'service_account_impersonation.token_lifetime_seconds',
      { service_account_impersonation: { token_lifetime_seconds: 59 } },
    ],
  ])('a configuration is refused by its %s, and nobody is asked', async (member, changes) => {
    expect(await refusal(await federated(changes))).toContain(`look at ${member}`)
    expect(double.requests).toEqual([])
  })

  test('a configuration that is not there, no JSON or over 64 KiB is an outage that names the file', async () => {
    const login = gcpFederatedLogin({ accountFile })
    expect(await refusal(login)).toContain(accountFile)
    const padded = `${JSON.stringify(account())}${' '.repeat(65_536)}`
    for (const text of [canary, '', padded]) {
      await writeFile(accountFile, text)
      expect(await refusal(login)).toContain(accountFile)
    }
    await writeFile(accountFile, JSON.stringify(account()))
    expect(isAccepted(await login())).toBe(true)
  })

  test.each([
    ['empty', '', undefined],
    ['blank', ' \n', undefined],
    ['no JSON', canary, { type: 'json', subject_token_field_name: 'token' }],
    ['without the member', '{"other":"x"}', { type: 'json', subject_token_field_name: 'token' }],
    ['no text in it', '{"token":7}', { type: 'json', subject_token_field_name: 'token' }],
  ])(
    'a subject token file that is %s is an outage that names the file',
    async (_, text, format) => {
      await writeFile(subjectFile, text)
      const login = await federated({ credential_source: { file: subjectFile, format } })
      expect(await refusal(login)).toContain(subjectFile)
      expect(double.requests).toEqual([])
    },
  )

  test('a subject token that is refused is an outage that holds its code and not the token', async () => {
    await writeFile(subjectFile, canary)
    expect(await refusal(await federated())).toContain('answered 400 (invalid_grant)')
  })

  test('an exchange or an impersonation that answers no token is an outage', async () => {
    for (const [end, body] of [
      ['/v1/token', '{}'],
      ['/v1/token', `{"access_token":"${canary}"}`],
      [':generateAccessToken', '{}'],
      [':generateAccessToken', `{"accessToken":"${canary}","expireTime":"soon"}`],
    ] as const) {
      const login = await federated(impersonation())
      strikeOn(double, end, { status: 200, body })
      await refusal(login)
    }
    strikeOn(double, ':generateAccessToken', { status: 403, body: canary })
    expect(await refusal(await federated(impersonation()))).toContain('answered 403')
  })

  test.each([
    ['as text', 'subject-1', undefined],
    ['in JSON', '{"id_token":"subject-1"}', { type: 'json', subject_token_field_name: 'id_token' }],
  ])('a subject token %s is exchanged', async (_, text, format) => {
    await writeFile(subjectFile, text)
    const login = await federated({ credential_source: { file: subjectFile, format } })
    expect(isAccepted(await login())).toBe(true)
  })

  test('the service account’s token is the one that is used, and kept', async () => {
    const before = { ...double.given }
    const login = await federated(impersonation())
    const token = await login()
    expect(isAccepted(token)).toBe(true)
    expect(await login()).toBe(token)
    expect(double.given.exchange - before.exchange).toBe(1)
    expect(double.given.impersonation - before.impersonation).toBe(1)
  })

  test('a subject token that was replaced in its file is the one of the next login', async () => {
    const login = await federated()
    const first = await login()
    double.subjects.clear()
    double.subjects.add('subject-2')
    await refusal(() => login(first))
    await writeFile(subjectFile, 'subject-2')
    expect(isAccepted(await login(first))).toBe(true)
  })
})
