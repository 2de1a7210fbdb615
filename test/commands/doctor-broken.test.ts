import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { judgeServer } from '../../commands/doctor-checks.ts'
import { broken, nowhere } from './broken-set-ups.ts'
import { type DoctorWorld, issuerAt, openDoctorWorld } from './doctor-world.ts'

/** Each test starts a process, seconds on a busy machine. */
setDefaultTimeout(60_000)

let world: DoctorWorld
beforeAll(async () => {
  world = await openDoctorWorld()
})
afterAll(() => world.close())

test('a good set-up is green: nothing fails, and what is warned of is said to be development', async () => {
  const { code, checks } = await world.diagnose({})
  const others = checks.filter(({ status }) => status !== 'ok').map(({ check }) => check)
  expect(others.filter((check) => !['mode', 'user', 'open files'].includes(check))).toEqual([])
  expect(code).toBe(0)
})

test.each(broken)(
  'when %s, doctor says so and what mends it',
  async (_, changes, name, detail, fix) => {
    const { code, checks } = await world.diagnose(await changes(world))
    expect(checks.find(({ check }) => check === name)).toEqual({
      ...{ check: name, status: 'fail' },
      ...{ detail: expect.stringMatching(detail), fix: expect.stringMatching(fix) },
    })
    expect(code).toBe(1)
    const unhelpful = checks.filter((each) => /fail|warn/.test(each.status) && !each.fix)
    expect(unhelpful).toEqual([])
    expect(JSON.stringify(checks)).not.toContain('hunter2')
  },
)

test('what rests on something that has failed is not looked at', async () => {
  const { checks } = await world.diagnose({
    POSTERN_DATABASE_URL: `postgres://postern@${nowhere}/x`,
  })
  const of = (name: string) => checks.find(({ check }) => check === name)
  expect(of('schema')).toEqual({ check: 'schema', status: 'skip', detail: 'postgres comes first' })
  expect(of('database login')?.status).toBe('skip')
})

test('a clock that is a minute from that of Postgres is warned of', async () => {
  const { checks } = await world.diagnose({}, join(import.meta.dir, 'shift-clock.ts'))
  expect(checks.find(({ check }) => check === 'postgres')).toMatchObject({
    status: 'warn',
    detail: expect.stringMatching(/^its clock is -(?:59|60)\d{3} ms from ours$/),
    fix: 'synchronise both with NTP',
  })
})

test('an old Postgres is named, with what to do', () => {
  const now = new Date()
  const clock = { before: now.getTime(), after: now.getTime() }
  const old = { number: 130_014, name: '13.14', now, fsync: 'on' }
  expect(judgeServer(old, clock)).toEqual({
    ...{ status: 'fail', detail: 'version 13.14', fix: 'upgrade to 14 or newer' },
  })
  expect(judgeServer({ ...old, number: 140_000 }, clock).status).toBe('ok')
})

test('with all of it hanging doctor ends all the same, with a word on each', async () => {
  const silent = `127.0.0.1:${world.silent}`
  const { code, checks } = await world.diagnose({
    ...{ POSTERN_DATABASE_URL: `postgres://postern@${silent}/x`, POSTERN_VAULT_ROLE: 'postern' },
    POSTERN_REDIS_URL: `redis://${silent}`,
    ...{ POSTERN_SECRET_STORE: 'vault', POSTERN_VAULT_ADDRESS: `http://${silent}` },
    POSTERN_ISSUER: 'https://local.example',
    POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current',
    ...{ POSTERN_AUDIT_STORE: 's3://audit/prod', POSTERN_AUDIT_S3_ENDPOINT: `http://${silent}` },
    ...{ POSTERN_AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' },
    POSTERN_ACCESS_FILE: await world.accessFile('silent', {
      issuers: [issuerAt(`http://${silent}/jwks.json`)],
    }),
  })
  expect(code).toBe(1)
  const failed = checks.filter(({ status }) => status === 'fail').map(({ check }) => check)
  expect(failed).toEqual(
    expect.arrayContaining([
      ...['issuer keys', 'secret store', 'local issuer', 'hosts', 'audit store'],
      ...['postgres', 'redis'],
    ]),
  )
})
