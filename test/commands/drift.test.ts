import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type DriftWorld, openDriftWorld } from '../drift/drift-world.ts'
import { readCase } from '../drift/plan-fixtures.ts'
import { p256, signedObjects } from '../drift/signed-plan.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(60_000)

let folder: string
let plans: string
let keyFile: string
let world: DriftWorld
const keys = p256()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-drift-'))
  plans = join(folder, 'plans')
  keyFile = join(folder, 'plan.pub')
  await mkdir(plans)
  await writeFile(keyFile, keys.publicKey.export({ type: 'spki', format: 'pem' }))
  world = await openDriftWorld()
})
afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

type Settings = Readonly<Record<string, string>>

const call = (args: readonly string[], settings: Settings = {}) =>
  runPostern(['drift', ...args], {
    folder,
    settings: {
      ...{ POSTERN_MODE: 'development', POSTERN_DATABASE_URL: world.url },
      ...{ POSTERN_DRIFT_PLAN: plans, POSTERN_DRIFT_PLAN_KEY_FILE: keyFile },
      ...{ POSTERN_DRIFT_ENVIRONMENT: 'staging', ...settings },
    },
  })

async function leave(
  name: string,
  manifest: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { plan } = readCase(name)
  const madeAt = new Date().toISOString()
  const objects = signedObjects(keys.privateKey, { plan, manifest: { madeAt, ...manifest } })
  for (const [object, bytes] of Object.entries(objects)) await writeFile(join(plans, object), bytes)
}

test.each([
  ['an unknown source', ['run', '--source', 'cloud']],
  ['an unknown state', ['list', '--state', 'closed']],
  ['half a page', ['list', '--limit', '0.5']],
  ['no fingerprint', ['show']],
  ['another fingerprint', ['show', 'abc']],
  ['an act that is none', ['explode']],
])('asked with %s it explains its use and exits with 64', async (_name, args) => {
  expect(await call(args)).toMatchObject({ code: 64, out: '' })
})

test.each([
  ['POSTERN_DRIFT_PLAN', { POSTERN_DRIFT_PLAN: 's3://bucket/../other' }],
  ['POSTERN_DRIFT_PLAN', { POSTERN_DRIFT_PLAN: '/plans/../../etc' }],
  ['POSTERN_DRIFT_PLAN', { POSTERN_DRIFT_PLAN: 's3://bucket//x' }],
  ['POSTERN_DRIFT_PLAN', { POSTERN_DRIFT_PLAN: 'plans' }],
  ['POSTERN_DRIFT_ENVIRONMENT', { POSTERN_DRIFT_ENVIRONMENT: 'Prod' }],
  ['POSTERN_DRIFT_PLAN_KEY_FILE', { POSTERN_DRIFT_PLAN_KEY_FILE: '/nowhere' }],
  ['POSTERN_IMAGE_DIGEST', { POSTERN_IMAGE_DIGEST: 'latest' }],
])('a wrong %s is named, and it exits with 78', async (name, settings) => {
  const { code, error } = await call(['run', '--source', 'plan'], settings)
  expect([code, error.split(':')[0]]).toEqual([78, name])
})

test('without a Terraform, or a workspace for it, it says so at once and exits with 78', async () => {
  const asked = ['run', '--source', 'terraform']
  const missing = await call(asked, { POSTERN_DRIFT_WORKSPACE: folder })
  expect([missing.code, missing.error.split(':')[0]]).toEqual([78, 'drift.terraform_missing'])
  const unset = await call(asked)
  expect([unset.code, unset.error.split(':')[0]]).toEqual([78, 'drift.not_configured'])
})

test('with the database away it exits with 75', async () => {
  const gone = { POSTERN_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
  expect((await call(['run', '--source', 'plan'], gone)).code).toBe(75)
})

test('no plan at all is a finding, and exits with 1', async () => {
  const { code, out } = await call(['run', '--source', 'plan'])
  expect(code).toBe(1)
  expect(out).toContain('plan: error, 1 findings (1 new)')
  expect(out).toContain('No plan can be judged (missing)')
})

const listed = z.array(
  z.object({ address: z.string(), state: z.string(), fingerprint: z.string() }).loose(),
)

test('a plan is judged, its findings are listed and shown, and a clean one resolves them', async () => {
  await leave('open-port')
  const found = await call(['run', '--source', 'plan'])
  expect(found.code).toBe(1)
  expect(found.out).toContain('plan: drift, 1 findings (1 new), 1 resolved')
  expect(found.out).toContain('aws_security_group.app: ingress changed outside Terraform')
  const open = listed.parse(JSON.parse((await call(['list', '--json'])).out))
  expect(open).toMatchObject([{ address: 'aws_security_group.app', severity: 'critical' }])
  const shown = await call(['show', open[0]?.fingerprint ?? ''])
  expect(shown.out).toContain('attribute  ingress')
  await leave('settled')
  const clean = await call(['run', '--source', 'plan', '--json'])
  expect(clean.code).toBe(0)
  expect(JSON.parse(clean.out)).toMatchObject({
    sources: [{ source: 'plan', verdict: 'clean', resolved: 1 }],
  })
  const all = listed.parse(JSON.parse((await call(['list', '--state', 'all', '--json'])).out))
  expect(all.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
  expect((await call(['show', '0'.repeat(64)])).error).toStartWith('drift.not_found: ')
})

test('an older plan than the one that was judged is refused, and closes nothing', async () => {
  await leave('open-port')
  expect((await call(['run', '--source', 'plan'])).code).toBe(1)
  await leave('settled', { madeAt: new Date(Date.now() - 60_000).toISOString() })
  const { code, out } = await call(['run', '--source', 'plan'])
  expect([code, out.includes('older_than_judged')]).toEqual([1, true])
  const open = listed.parse(JSON.parse((await call(['list', '--json'])).out))
  expect(open.map(({ address }) => address)).toContain('aws_security_group.app')
})
