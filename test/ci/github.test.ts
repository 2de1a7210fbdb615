// The scripts that speak to GitHub's runner, to a registry and to a Pushgateway, each against a double.
import { afterAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript } from '#test/support/run-script.ts'

const folder = await mkdtemp(join(tmpdir(), 'postern-github-'))
afterAll(() => rm(folder, { recursive: true }))

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
  const nothing = { exitCode: 0, stdout: '', stderr: '' }
  expect(await runScript('aws-identity', [file], '', env)).toEqual(nothing)
  expect(asked).toEqual(['?api-version=2.0&audience=sts.amazonaws.com bearer of-this-run'])
  expect(await readFile(file, 'utf8')).toBe('the.signed.token')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const outside = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }
  expect((await runScript('aws-identity', [file], '', outside)).exitCode).toBe(2)
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
  expect((await runScript('push-metrics', [], '', env)).exitCode).toBe(0)
  expect([...put]).toEqual([
    ['PUT /metrics/job/postern_ci/file/postern-sbom', 'postern_ci_step_ok{step="sbom"} 1\n'],
  ])
  status = 400
  expect((await runScript('push-metrics', [], '', env)).exitCode).toBe(1)
  const nobody = await runScript('push-metrics', [], '', { ...env, POSTERN_PUSHGATEWAY_URL: '' })
  expect(nobody).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('names nobody') })
})

test('a login takes both words, and none of them from a command line', async () => {
  expect((await runScript('registry-login', [])).exitCode).toBe(64)
  const half = { REGISTRY_USER: 'somebody', REGISTRY_TOKEN: '' }
  expect(await runScript('registry-login', ['ghcr.io'], '', half)).toMatchObject({
    ...{ exitCode: 2, stderr: expect.stringContaining('not both set') },
  })
})
