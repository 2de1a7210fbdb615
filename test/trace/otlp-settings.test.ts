import { expect, test } from 'bun:test'
import { ConfigError, parseConfig } from '#core/config.ts'
import { parseOtlpHeaders } from '#core/trace/otlp-settings.ts'

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const reference = 'secret:postern/otlp#headers'

test.each([
  ['POSTERN_OTLP_ENDPOINT', 'collector:4318'],
  ['POSTERN_OTLP_ENDPOINT', 'grpc://collector:4317'],
  ['POSTERN_OTLP_ENDPOINT', 'https://app:hunter2@collector:4318'],
  ['POSTERN_OTLP_ENDPOINT', 'https://collector:4318/?key=hunter2'],
  ['POSTERN_OTLP_ENDPOINT', `https://collector/${'x'.repeat(2_048)}`],
  ['POSTERN_OTLP_SAMPLE', '1.01'],
  ['POSTERN_OTLP_SAMPLE', '-0.1'],
  ['POSTERN_OTLP_SAMPLE', 'all'],
])('%s=%s is refused, and not repeated', (name, value) => {
  const problems = problemsOf({ [name]: value })
  expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: `))])
  expect(problems.join()).not.toContain('hunter2')
})

test.each([
  ['a literal', { POSTERN_OTLP_ENDPOINT: 'https://c', POSTERN_OTLP_HEADERS: 'x-key=hunter2' }],
  ['in clear', { POSTERN_OTLP_ENDPOINT: 'http://c:4318', POSTERN_OTLP_HEADERS: reference }],
  ['for nobody', { POSTERN_OTLP_HEADERS: reference }],
])('a credential %s is refused', (_how, environment) => {
  const problems = problemsOf(environment)
  expect(problems).toEqual([expect.stringMatching(/^POSTERN_OTLP_(?:ENDPOINT|HEADERS): /)])
  expect(problems.join()).not.toContain('hunter2')
})

test.each([
  {},
  { POSTERN_OTLP_ENDPOINT: 'http://collector:4318' },
  { POSTERN_OTLP_ENDPOINT: 'https://otlp.example.com/otlp', POSTERN_OTLP_HEADERS: reference },
  { POSTERN_OTLP_ENDPOINT: 'http://127.0.0.1:4318', POSTERN_OTLP_HEADERS: reference },
  { POSTERN_OTLP_ENDPOINT: 'http://collector:4318', POSTERN_OTLP_SAMPLE: '0' },
])('%j is taken', (environment) => {
  expect(problemsOf(environment)).toEqual([])
})

test('traces are off unless somebody is named who wants them', () => {
  expect(parseConfig({})).toMatchObject({ POSTERN_OTLP_SAMPLE: 0.1 })
  expect(parseConfig({}).POSTERN_OTLP_ENDPOINT).toBeUndefined()
})

test.each([
  '',
  'x-key',
  '=value',
  'x key=value',
  'x-key=',
  'x-key=%0d%0ax-other: 1',
  'x-key=%',
  'content-type=text/plain',
  'Host=elsewhere',
  'x-key=a,,y-key=b',
  Array.from({ length: 17 }, (_, at) => `x-${at}=v`).join(','),
])('headers of %j are none', (text) => {
  expect(parseOtlpHeaders(text)).toBeUndefined()
})

test('headers are read as OpenTelemetry writes them', () => {
  expect(parseOtlpHeaders('Authorization=Basic%20YTpi, x-scope = a%2Cb')).toEqual({
    authorization: 'Basic YTpi',
    'x-scope': 'a,b',
  })
})
