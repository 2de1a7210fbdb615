import { expect, test } from 'bun:test'
import { ConfigError } from '#core/config.ts'
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
