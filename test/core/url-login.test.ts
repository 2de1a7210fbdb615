import { expect, test } from 'bun:test'
import { ConfigError, parseConfig } from '#core/config.ts'
import { redisLogin } from '#core/job/redis-connect.ts'
import { parseDatabaseUrl } from '#core/postgres/database-url.ts'

const refusal = (parse: () => unknown): unknown => {
  try {
    return parse()
  } catch (error) {
    return error
  }
}

test.each([
  [
    'Postgres',
    (at: string) => parseDatabaseUrl({ url: `postgres://${at}h/x`, mode: 'development' }),
  ],
  ['Redis', (at: string) => redisLogin(`redis://${at}h`)],
] as const)(
  'a bare percent sign in a login of %s is refused with the fix, unquoted',
  (_, parse) => {
    for (const at of ['app:hunter2%zz@', 'hunter2%:p@', 'app:hunter2%@']) {
      const error = refusal(() => parse(at))
      expect(error).toBeInstanceOf(ConfigError)
      expect(String(error)).toContain('%25')
      expect(String(error)).not.toContain('hunter2')
    }
    expect(refusal(() => parse('app:p%25%2F@'))).not.toBeInstanceOf(Error)
  },
)

test('the name of the local issuer holds no user: it stands in every token', () => {
  const environment = {
    POSTERN_ISSUER: 'https://app:hunter2@postern.example',
    POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current',
  }
  const error = refusal(() => parseConfig(environment))
  expect(error).toBeInstanceOf(ConfigError)
  expect(String(error)).toContain('POSTERN_ISSUER: holds a user')
  expect(String(error)).not.toContain('hunter2')
})
