// The procedures of deploy/RUNBOOK.md, word for word, on a stack of their own; what each must have done is
// looked at afterwards. Run by ci/test-compose.sh, whose `docker` on PATH knows `docker compose`.
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  admitCaller,
  asks,
  beside,
  callersNetwork,
  compose,
  containerOf,
  docker,
  inspect,
  newJob,
  root,
  run,
  testIssuer,
  untilHealthy,
} from './stack.ts'

setDefaultTimeout(300_000)

const services = ['postgres', 'redis', 'postern']
const composeTest = test.if(compose !== undefined)
const procedures = await readProcedures()
const folder = await mkdtemp(join(tmpdir(), 'postern-rehearsal-'))
const variables: Record<string, string | undefined> = {
  ...process.env,
  BACKUP: join(folder, 'backup'),
  ISSUER: testIssuer,
  TOKEN_FILE: join(folder, 'token'),
  LAST_IMAGE: process.env['POSTERN_IMAGE'],
  NEXT_IMAGE: 'postern:next',
}
let headers: Record<string, string> = {}

afterAll(() => rm(folder, { recursive: true, force: true }))

/** The `sh` blocks by section; those before the first one are under ''. */
async function readProcedures() {
  const text = await readFile(join(root, 'deploy', 'RUNBOOK.md'), 'utf8')
  const [, part = ''] = text.split('## Procedures\n')
  const [whole = ''] = part.split('\n## ')
  return new Map(
    whole.split('\n### ').map((section, at) => {
      const title = at === 0 ? '' : (section.split('\n')[0] ?? '')
      return [title, [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code = '']) => code)]
    }),
  )
}

/** One block of a section, in a shell of its own that the words of the section before all know. */
async function follow(title: string, block = 0): Promise<string> {
  const code = procedures.get(title)?.[block]
  if (code === undefined) throw new Error(`${title} has no block ${block + 1}`)
  const script = [...(procedures.get('') ?? []), code].join('\n')
  const { code: exit, output } = await run(['bash', '-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: variables,
  })
  expect({ title, exit, output }).toMatchObject({ exit: 0 })
  return output
}

async function imageOf(service: string) {
  return await inspect(await containerOf(service), '{{.Config.Image}}')
}

async function owner(statement: string) {
  const client = 'PGPASSWORD=$(cat /run/secrets/postgres-owner-password) exec psql "$@"'
  const login = ['--username=postern_owner', '--dbname=postern', '--tuples-only', '--no-align']
  const inside = [docker, 'exec', await containerOf('postgres'), 'sh', '-c', client, 'sh']
  const { code, output } = await run([...inside, ...login, `--command=${statement}`])
  expect({ statement, code, output }).toMatchObject({ code: 0 })
  return output
}

/** The id of a job that a caller has enqueued, and is answered about. */
async function enqueue(): Promise<string> {
  const { output } = await beside(await callersNetwork(), newJob(headers))
  expect(output).toStartWith('202 ')
  return JSON.parse(output.slice(4)).id
}

async function ended(id: string) {
  const url = `https://postern:8080/v1/jobs/${id}?wait=20`
  const { output } = await beside(await callersNetwork(), asks(url, { headers }))
  expect(output).toMatch(/^200 .*"state":"(?:completed|failed)"/)
}

composeTest('every section of what is rehearsed is followed by one of these tests', () => {
  const titles = [...procedures].filter(([, blocks]) => blocks.length > 0).map(([title]) => title)
  expect(titles).toEqual([
    ...['', 'First deploy', 'Back up', 'Upgrade', 'Roll back', 'Rotate everything now'],
    ...['A leaked token', 'Restore the database', 'Drift found', 'Redis lost'],
  ])
})

composeTest('first deploy: all of it is healthy, and a caller has a job done', async () => {
  await follow('First deploy')
  await untilHealthy(services, 180_000)
  const { token, jti } = await admitCaller()
  headers = { authorization: `Bearer ${token}` }
  variables['JTI'] = jti
  await writeFile(join(folder, 'token'), token)
  await follow('First deploy', 1)
  await ended(await enqueue())
})

let before = ''

composeTest('back up: dump and state are there', async () => {
  await mkdir(join(folder, 'backup'))
  before = await enqueue()
  await ended(before)
  await follow('Back up')
  const dump = await readFile(join(folder, 'backup', 'postern.dump'))
  expect(dump.subarray(0, 5).toString()).toBe('PGDMP')
  const { output } = await run(['tar', '--list', '--file', join(folder, 'backup', 'state.tar')])
  expect(output).toContain('./postern/store/secrets')
  expect(output).toContain('./log.vkey')
  expect(output).not.toContain('PG_VERSION')
})

composeTest('upgrade: the new image runs and is healthy', async () => {
  await run([docker, 'tag', variables['LAST_IMAGE'] ?? '', 'postern:next'])
  await follow('Upgrade')
  expect(await imageOf('postern')).toBe('postern:next')
  await untilHealthy(services, 180_000)
  await ended(await enqueue())
})

composeTest('roll back: the last image runs again', async () => {
  await follow('Roll back')
  expect(await imageOf('postern')).toBe(variables['LAST_IMAGE'] ?? '')
  await untilHealthy(services, 180_000)
  await ended(before)
})

composeTest('rotate everything now: each has a new version, and jobs go on', async () => {
  await follow('Rotate everything now')
  const done = await owner(
    "select distinct name from postern_secret_rotation where step = 'done' order by 1",
  )
  expect(done.split('\n')).toEqual(['postern/audit', 'postern/database', 'postern/redis'])
  await ended(await enqueue())
})

composeTest('a leaked token is refused', async () => {
  await enqueue()
  await follow('A leaked token')
  const isRefused = async () => {
    const { output } = await beside(await callersNetwork(), newJob(headers))
    return output.startsWith('401 ')
  }
  const giveUpAt = performance.now() + 60_000
  while (!(await isRefused())) expect(performance.now()).toBeLessThan(giveUpAt)
  headers = { authorization: `Bearer ${(await admitCaller()).token}` }
})

composeTest('restore: what the backup held is back, and the log is whole', async () => {
  const records = Number(await owner('select max(size) from postern_audit_checkpoint'))
  const output = await follow('Restore the database')
  await untilHealthy(services, 180_000)
  expect(output).toContain('ok')
  await ended(before)
  await ended(await enqueue())
  expect(Number(await owner('select max(size) from postern_audit_checkpoint'))).toBeGreaterThan(
    records,
  )
})

composeTest(
  'drift: a right that somebody granted is found, and resolved once it is gone',
  async () => {
    await owner('grant delete on postern_audit_entry to postern_gateway')
    expect(await follow('Drift found')).toContain('postern_audit_entry')
    await owner('revoke delete on postern_audit_entry from postern_gateway')
    await follow('Drift found', 1)
  },
)

composeTest('Redis lost: what was accepted meanwhile is done', async () => {
  const redis = await containerOf('redis')
  await run([docker, 'kill', redis])
  const id = await enqueue()
  await follow('Redis lost')
  await untilHealthy(services, 180_000)
  await ended(id)
})
