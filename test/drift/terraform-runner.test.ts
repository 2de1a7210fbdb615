import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TerraformOptions, terraformPlan } from '#core/drift/terraform-runner.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-terraform-'))
})
afterAll(() => rm(folder, { recursive: true }))

let number = 0

/** A terraform that does what a test says; `$1` is its act, `$out` where a plan belongs. */
async function scripted(
  acts: Readonly<Record<string, string>>,
  more: Partial<TerraformOptions> = {},
) {
  const home = join(folder, `${number++}`)
  const [bin, workspace, scratch] = ['bin', 'workspace', 'scratch'].map((name) => join(home, name))
  if (bin === undefined || workspace === undefined || scratch === undefined)
    throw new Error('three paths')
  for (const path of [bin, workspace, scratch]) await mkdir(path, { recursive: true })
  const cases = Object.entries(acts).map(([act, does]) => `${act}) ${does} ;;`)
  const script = `#!/bin/sh
home=${home}
shift
echo "$*" >> $home/asked
for one in "$@"; do case $one in -out=*) out=\${one#-out=} ;; esac; done
case $1 in ${cases.join('\n')} esac
`
  await writeFile(join(bin, 'terraform'), script)
  await chmod(join(bin, 'terraform'), 0o755)
  const options: TerraformOptions = {
    ...{ workspace, scratch, mode: 'development', signal: new AbortController().signal },
    environment: { PATH: `${bin}:/usr/bin:/bin` },
    ...more,
  }
  return {
    home,
    scratch,
    run: () => terraformPlan(options),
    left: () => readdir(scratch),
    read: (name: string) => Bun.file(join(home, name)).text(),
  }
}

const working = { init: ':', plan: 'echo p > $out', show: `echo '{"is":"plan"}'` }

test('without a terraform it fails at once, and says what is missing', async () => {
  const { run, left } = await scripted({}, { environment: { PATH: '/nowhere' } })
  await expect(run()).rejects.toMatchObject({
    code: 'drift.terraform_missing',
    detail: expect.stringContaining('no terraform on PATH'),
  })
  expect(await left()).toEqual([])
})

test('a workspace that is none, and a disk in production, are refused', async () => {
  const gone = await scripted(working, { workspace: '/nowhere' })
  await expect(gone.run()).rejects.toMatchObject({ code: 'drift.not_configured' })
  const disk = await scripted(working, { mode: 'production', scratch: '/proc' })
  await expect(disk.run()).rejects.toMatchObject({ code: 'drift.not_configured' })
})

test('the plan is made beside the workspace, shown, and removed', async () => {
  const { run, read, left } = await scripted({
    ...working,
    plan: 'echo p > $out; stat -c %a $out > $home/mode; stat -c %a $(dirname $out) > $home/dirmode',
  })
  expect(JSON.parse(Buffer.from(await run()).toString())).toEqual({ is: 'plan' })
  expect([await read('mode'), await read('dirmode')]).toEqual(['600\n', '700\n'])
  const asked = (await read('asked')).split('\n')
  expect(asked[0]).toBe('init -input=false -lockfile=readonly')
  expect(asked[1]).toMatch(/^plan -input=false -lock-timeout=60s -no-color -out=\S+\/plan$/)
  expect(asked[2]).toMatch(/^show -json \S+\/plan$/)
  expect(await left()).toEqual([])
})

test('an exit code says nothing: a plan that failed is shown', async () => {
  for (const code of [1, 2]) {
    const { run } = await scripted({ ...working, plan: `echo p > $out; exit ${code}` })
    expect(Buffer.from(await run()).toString()).toContain('plan')
  }
})

test.each([
  ['init', { ...working, init: 'exit 1' }],
  ['plan', { ...working, plan: 'echo password=hunter2 >&2; exit 1' }],
  ['show', { ...working, show: 'echo hunter2; exit 1' }],
])('a failing %s makes no plan, repeats nothing and leaves nothing', async (act, acts) => {
  const { run, left } = await scripted(acts)
  const failure = await run().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'drift.terraform_failed', status: 503 })
  expect(String(failure)).toContain(`terraform ${act} ended with exit code 1`)
  expect(JSON.stringify(failure)).not.toContain('hunter2')
  expect(await left()).toEqual([])
})

test('an output without end is cut off, and leaves nothing', async () => {
  const { run, left } = await scripted({ ...working, show: 'exec yes' })
  await expect(run()).rejects.toMatchObject({ fault: 'too_large' })
  expect(await left()).toEqual([])
}, 20_000)

test('who is asked to stop leaves nothing', async () => {
  const stopping = new AbortController()
  const { run, left, home } = await scripted(
    { ...working, plan: 'touch $home/begun; exec sleep 60' },
    { signal: stopping.signal },
  )
  const ended = run().catch((error: unknown) => error)
  while (!(await Bun.file(join(home, 'begun')).exists())) await Bun.sleep(5)
  expect(await left()).toHaveLength(1)
  stopping.abort(new Error('stopped'))
  expect(String(await ended)).toContain('stopped')
  expect(await left()).toEqual([])
})

test('of the environment it gets what is on the list', async () => {
  const passed = {
    ...{ AWS_REGION: 'x', AWS_ROLE_ARN: 'x', TF_VAR_name: 'x', HTTPS_PROXY: 'x' },
    ...{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: 'x', TF_CLI_CONFIG_FILE: 'x' },
  }
  const kept = {
    ...{ POSTERN_DATABASE_URL: 'x', TF_LOG: 'trace', TF_CLI_ARGS: 'x', LD_PRELOAD: 'x' },
    ...{
      TF_CLI_ARGS_plan: '-refresh=false',
      NODE_OPTIONS: 'x',
      BUN_OPTIONS: 'x',
      TF_DATA_DIR: 'x',
    },
  }
  const world = await scripted(
    { ...working, plan: 'env > $home/env; echo p > $out' },
    { environment: { ...passed, ...kept, PATH: `${folder}/${number}/bin:/usr/bin:/bin` } },
  )
  await world.run()
  const lines = (await world.read('env')).split('\n')
  const names = lines.map((line) => line.split('=')[0] ?? '')
  for (const name of Object.keys(passed)) expect(names).toContain(name)
  for (const name of Object.keys(kept).filter((one) => one !== 'TF_DATA_DIR')) {
    expect(names).not.toContain(name)
  }
  expect(lines.find((line) => line.startsWith('TF_DATA_DIR'))).not.toBe('TF_DATA_DIR=x')
})

test('what a process that was killed has left is removed by the next', async () => {
  const { run, scratch, left } = await scripted(working)
  const child = Bun.spawn(['true'])
  await child.exited
  await mkdir(join(scratch, `postern-drift-${child.pid}-abcdef`))
  await mkdir(join(scratch, 'postern-drift-1-abcdef'))
  await run()
  expect(await left()).toEqual(['postern-drift-1-abcdef'])
})
