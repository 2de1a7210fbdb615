import { expect, test } from 'bun:test'
import { ConfigError, parseConfig } from '#core/config.ts'

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const password = 'postgres://app:hunter2@db/app'

test('an unknown POSTERN_ name is refused, everybody else’s names are not looked at', () => {
  expect(problemsOf({ POSTERN_LISTEN_PROT: '1', PATH: '/bin', POSTERNX: '1' })).toEqual([
    expect.stringMatching(/^POSTERN_LISTEN_PROT: unknown setting/),
  ])
})

test('every problem is named in one line of its own', () => {
  const problems = problemsOf({
    POSTERN_LISTEN_PORT: '65536',
    POSTERN_MODE: 'prod',
    POSTERN_DRAIN_SECONDS: '0',
    POSTERN_OTHER: 'x',
  })
  expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
    'POSTERN_DRAIN_SECONDS',
    'POSTERN_LISTEN_PORT',
    'POSTERN_MODE',
    'POSTERN_OTHER',
  ])
  expect(problems.every((problem) => !problem.includes('\n'))).toBe(true)
})

test.each([
  'POSTERN_DATABASE_URL',
  'POSTERN_REDIS_URL',
  'POSTERN_WEBHOOK_KEY',
  'POSTERN_ALPACA_KEYS',
  'POSTERN_TLS_KEY',
])('%s: a literal credential is refused in production and never repeated', (name) => {
  const problems = problemsOf({ [name]: password })
  expect(problems).toHaveLength(1)
  expect(problems[0]).toStartWith(`${name}: `)
  expect(problems.join()).not.toContain('hunter2')
  expect(problemsOf({ [name]: password, POSTERN_MODE: 'development' })).toEqual([])
})

test.each(['secret:', 'secret:a', 'secret:#b', 'secret:a#'])(
  '%p is no reference and is refused in every mode',
  (reference) => {
    for (const mode of ['production', 'development']) {
      const found = problemsOf({ POSTERN_DATABASE_URL: reference, POSTERN_MODE: mode })
      expect(found).toHaveLength(1)
    }
  },
)

test('a log in S3 takes no key from the environment in production', () => {
  const environment = { POSTERN_AUDIT_STORE: 's3://audit/log', AWS_SECRET_ACCESS_KEY: 'hunter2' }
  const problems = problemsOf(environment)
  expect(problems).toEqual([expect.stringMatching(/^AWS_SECRET_ACCESS_KEY: .+ role$/)])
  expect(problemsOf({ ...environment, POSTERN_MODE: 'development' })).toEqual([])
  expect(problemsOf({ ...environment, POSTERN_AUDIT_STORE: '/var/lib/postern' })).toEqual([])
})

test.each([
  'http://paper-api.alpaca.markets',
  'http://127.0.0.1.example.com',
  'ftp://paper-api.alpaca.markets',
  'paper-api.alpaca.markets',
  'https://hunter2@paper-api.alpaca.markets',
  'https://user:hunter2@paper-api.alpaca.markets',
  'https://paper-api.alpaca.markets/v2',
  'https://paper-api.alpaca.markets/?key=hunter2',
])('keys do not go to %s in any mode', (url) => {
  for (const mode of ['production', 'development']) {
    const problems = problemsOf({ POSTERN_ALPACA_URL: url, POSTERN_MODE: mode })
    expect(problems).toEqual([expect.stringMatching(/^POSTERN_ALPACA_URL: /)])
    expect(problems.join()).not.toContain('hunter2')
  }
})

test.each(['http://127.0.0.1:8099', 'http://[::1]:8099', 'http://localhost:8099'])(
  'Alpaca at %s is a test server, for development alone',
  (url) => {
    expect(problemsOf({ POSTERN_ALPACA_URL: url })).toEqual([
      'POSTERN_ALPACA_URL: not https; plain http is for loopback in development only',
    ])
    expect(problemsOf({ POSTERN_ALPACA_URL: url, POSTERN_MODE: 'development' })).toEqual([])
  },
)

test('without a word about Alpaca it is the market of play money, without keys', () => {
  const config = parseConfig({})
  expect(config.POSTERN_ALPACA_URL).toBe('https://paper-api.alpaca.markets')
  expect(config.POSTERN_ALPACA_KEYS).toBeUndefined()
})

test('a reference is accepted in production, which is the default', () => {
  const config = parseConfig({ POSTERN_DATABASE_URL: 'secret:postern/database#url' })
  expect(config.POSTERN_MODE).toBe('production')
})

test('nothing that grants access has a default', () => {
  const config = parseConfig({})
  expect(config.POSTERN_ACCESS_FILE).toBeUndefined()
  expect(config.POSTERN_DATABASE_URL).toBeUndefined()
  expect(config.POSTERN_SECRET_STORE).toBeUndefined()
})

test.each([
  ['POSTERN_LISTEN_PORT', '-1'],
  ['POSTERN_LISTEN_PORT', '80.5'],
  ['POSTERN_LISTEN_ADDRESS', 'localhost'],
  ['POSTERN_DRAIN_SECONDS', '601'],
  ['POSTERN_REDIS_CLUSTER', 'perhaps'],
  ['POSTERN_ACCESS_FILE', ''],
])('%s=%s is refused', (name, value) => {
  expect(problemsOf({ [name]: value })[0]).toStartWith(`${name}: `)
})

const issuer = {
  POSTERN_ISSUER: 'https://postern.example',
  POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current',
}

test.each<[string, Record<string, string>, string]>([
  ['without keys', { POSTERN_ISSUER: issuer.POSTERN_ISSUER }, 'POSTERN_ISSUER_KEYS'],
  ['without a name', { POSTERN_ISSUER_KEYS: issuer.POSTERN_ISSUER_KEYS }, 'POSTERN_ISSUER'],
  ['with a name that is no URL', { ...issuer, POSTERN_ISSUER: 'postern' }, 'POSTERN_ISSUER'],
  ['with a literal key', { ...issuer, POSTERN_ISSUER_KEYS: '{"d":"x"}' }, 'POSTERN_ISSUER_KEYS'],
  [
    'with tokens that outlive an hour',
    { ...issuer, POSTERN_ISSUER_TTL_SECONDS: '3601' },
    'POSTERN_ISSUER_TTL_SECONDS',
  ],
  [
    'with tokens that never live',
    { ...issuer, POSTERN_ISSUER_TTL_SECONDS: '0' },
    'POSTERN_ISSUER_TTL_SECONDS',
  ],
  [
    'with a key set that is kept for ever',
    { ...issuer, POSTERN_JWKS_MAX_AGE_SECONDS: '86401' },
    'POSTERN_JWKS_MAX_AGE_SECONDS',
  ],
])('a local issuer %s is refused in every mode', (_, settings, name) => {
  for (const mode of ['production', 'development']) {
    const problems = problemsOf({ ...settings, POSTERN_MODE: mode })
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([name])
  }
})

test('a local issuer has a name and keys, tokens of a quarter of an hour and a key set for five minutes', () => {
  expect(parseConfig(issuer)).toMatchObject({
    ...{ ...issuer, POSTERN_ISSUER_TTL_SECONDS: 900, POSTERN_JWKS_MAX_AGE_SECONDS: 300 },
  })
})
