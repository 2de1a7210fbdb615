// The scripts that speak to GitHub's runner, to a registry and to a Pushgateway, each against a double.
import { afterAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ci = join(import.meta.dir, '../../ci')
const folder = await mkdtemp(join(tmpdir(), 'postern-github-'))
afterAll(() => rm(folder, { recursive: true }))

async function call(script: string, args: readonly string[], env: Record<string, string>) {
  const child = Bun.spawn([join(ci, script), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, said: out + error }
}

test('the identity of a run is asked for AWS alone, and lies where only its owner reads it', async () => {
  const asked: string[] = []
  using github = Bun.serve({
    port: 0,
    fetch(request) {
      asked.push(`${new URL(request.url).search} ${request.headers.get('authorization')}`)
      return Response.json({ value: 'the.signed.token' })
    },
  })
  const file = join(folder, 'identity')
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url.origin}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-this-run',
  }
  expect(await call('aws-identity', [file], env)).toMatchObject({ code: 0, said: '' })
  expect(asked).toEqual(['?api-version=2.0&audience=sts.amazonaws.com bearer of-this-run'])
  expect(await readFile(file, 'utf8')).toBe('the.signed.token')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await call('aws-identity', [file], {})).code).toBe(2)
})

test('every step’s figures are put where they belong, and a Pushgateway that refuses is told', async () => {
  const metrics = join(folder, 'metrics')
  await mkdir(metrics)
  await writeFile(join(metrics, 'postern-sbom.prom'), 'postern_ci_step_ok{step="sbom"} 1\n')
  await writeFile(join(metrics, 'other.prom'), 'x 1\n')
  const put = new Map<string, string>()
  let status = 200
  using gateway = Bun.serve({
    port: 0,
    async fetch(request) {
      put.set(`${request.method} ${new URL(request.url).pathname}`, await request.text())
      return new Response('', { status })
    },
  })
  const env = { POSTERN_CI_METRICS: metrics, POSTERN_PUSHGATEWAY_URL: gateway.url.origin }
  expect((await call('push-metrics', [], env)).code).toBe(0)
  expect([...put]).toEqual([
    ['PUT /metrics/job/postern_ci/file/postern-sbom', 'postern_ci_step_ok{step="sbom"} 1\n'],
  ])
  status = 400
  expect((await call('push-metrics', [], env)).code).toBe(1)
  const nobody = await call('push-metrics', [], { POSTERN_CI_METRICS: metrics })
  expect(nobody).toMatchObject({ code: 0, said: expect.stringContaining('names nobody') })
})

test('a login takes both words, and none of them from a command line', async () => {
  expect((await call('registry-login', [], {})).code).toBe(64)
  const half = await call('registry-login', ['ghcr.io'], { REGISTRY_USER: 'somebody' })
  expect(half).toMatchObject({ code: 2, said: expect.stringContaining('not both set') })
})
