import { afterAll, expect, test } from 'bun:test'
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript } from '#test/support/run-script.ts'
import { put } from './stand-in-policy.ts'

const ci = join(import.meta.dir, '../../ci')

const folder = mkdtempSync(join(tmpdir(), 'postern-tools-'))
afterAll(() => rmSync(folder, { recursive: true }))

const says = (version: string) => {
  const program = put(folder, 'grype', `#!/bin/sh\necho "Version: ${version}"\n`)
  chmodSync(program, 0o755)
  return { PATH: `${folder}:${process.env['PATH']}` }
}

test('a tool on PATH counts at exactly the pinned version', async () => {
  // Elsewhere, where nothing has been installed into .tools/.
  for (const name of ['tools', 'tools.mjs', 'dependencies.mjs', 'patches.mjs']) {
    cpSync(join(ci, name), join(folder, 'ci', name))
  }
  const list = async (version: string) => {
    const child = Bun.spawn([join(folder, 'ci/tools'), '--list'], { env: says(version) })
    return new Response(child.stdout).text()
  }
  expect(await list('0.115.0')).toContain(`grype        ${folder}/grype`)
  for (const other of ['0.115.1', '0.115.0-rc1', '10.115.0', '0.115.0.1', '0.114.9']) {
    expect(await list(other)).not.toContain(folder)
  }
})

test('a tool that nobody has pinned is wrong use', async () => {
  for (const args of [[], ['curl'], ['opa', 'curl'], ['toString']]) {
    const { exitCode, stdout, stderr } = await runScript('tools', args)
    expect(stderr).toStartWith('usage: ci/tools')
    expect(stdout).toBe('')
    expect(exitCode).toBe(64)
  }
})

test.each([['policy-index'], ['policy-fixtures'], ['policy-test'], ['policy-mutate'], ['tools']])(
  'ci/%s --help says how it is used',
  async (name) => {
    const { exitCode, stdout } = await runScript(name, ['--help'])
    expect(stdout).toStartWith(`usage: ci/${name}`)
    expect(exitCode).toBe(0)
  },
)

test('what exists of an index and of fixtures is judged, and options are not guessed', async () => {
  for (const name of ['policy-index', 'policy-fixtures', 'policy-test', 'policy-mutate']) {
    expect((await runScript(name, ['--nonsense'])).exitCode).toBe(64)
  }
})
