import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createPublicKey } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchPlan } from '#core/drift/fetch-plan.ts'
import { filePlanSource } from '#core/drift/file-plan-source.ts'
import { judgeSource } from '#core/drift/judge-source.ts'

const script = join(import.meta.dir, '../../ci/drift-plan.sh')
const fixtures = join(import.meta.dir, '../../policy/fixtures/drift')

/** Signs as cosign does, by openssl; its own options are looked at no further. */
const cosign = `#!/bin/sh
case $1 in
  signing-config) echo {} > "$4" ;;
  sign-blob)
    while [ $# -gt 1 ]; do case $1 in --key) key=$2 ;; --bundle) bundle=$2 ;; esac; shift; done
    digest=$(openssl dgst -sha256 -binary "$1" | openssl base64 -A)
    signature=$(openssl dgst -sha256 -sign "$key" "$1" | openssl base64 -A)
    printf '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"%s"},"signature":"%s"}}' \\
      "$digest" "$signature" > "$bundle" ;;
esac
`
const terraform = `#!/bin/sh
shift
for one in "$@"; do case $one in -out=*) out=\${one#-out=} ;; esac; done
case $1 in
  plan) stat -c %a "$(dirname "$out")" > "$STATE/dirmode"; echo "$out" > "$STATE/at"
    [ "$CASE" = none ] || echo plan > "$out"; exit "$CODE" ;;
  show) cat "${fixtures}/$CASE/plan.json"; stat -c %a "$3" > "$STATE/mode" ;;
esac
`

let folder: string
const inFolder = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-drift-plan-'))
  await mkdir(inFolder('bin'))
  for (const [name, text] of Object.entries({ cosign, terraform })) {
    await writeFile(inFolder(`bin/${name}`), text)
    await chmod(inFolder(`bin/${name}`), 0o755)
  }
  const made = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const { success } = Bun.spawnSync(['openssl', ...made, '-out', inFolder('key.pem')])
  if (!success) throw new Error('openssl makes no key')
})
afterAll(() => rm(folder, { recursive: true }))

async function leave(name: string, { code = 0, path = `${inFolder('bin')}:/usr/bin:/bin` } = {}) {
  const place = await mkdtemp(inFolder('place-'))
  const child = Bun.spawn([script, folder, 'staging', place], {
    env: {
      ...{ PATH: path, CASE: name, CODE: String(code), STATE: folder },
      POSTERN_DRIFT_SIGNING_KEY: inFolder('key.pem'),
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const error = await new Response(child.stderr).text()
  return { code: await child.exited, error, place, left: await readdir(place) }
}

async function judge(place: string) {
  const key = createPublicKey(await Bun.file(inFolder('key.pem')).text())
  const { signal } = new AbortController()
  const rules = { environment: 'staging', now: new Date(), judgedUntil: undefined, key, signal }
  return await judgeSource('plan', () => fetchPlan(filePlanSource(place), rules))
}

test.each(['after-apply', 'open-port', 'settled'])(
  'what it leaves of %s is taken',
  async (name) => {
    const { code, left, place } = await leave(name)
    expect([code, left.sort()]).toEqual([
      0,
      ['manifest.json', 'manifest.json.sigstore.json', 'plan.json'],
    ])
    expect((await judge(place)).verdict).not.toBe('error')
  },
)

test('a plan that ended with an error is left all the same, and it exits with 1', async () => {
  const { code, left } = await leave('settled', { code: 1 })
  expect([code, left.length]).toEqual([1, 3])
})

test('without a plan, or a cosign, nothing is left', async () => {
  const failed = await leave('none', { code: 1 })
  expect([failed.code, failed.left]).toEqual([1, []])
  await rm(inFolder('bin/cosign'), { force: true })
  // Nor one that could be installed.
  await writeFile(inFolder('bin/node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const unsigned = await leave('settled')
  expect([unsigned.code, unsigned.left]).toEqual([69, []])
  expect(unsigned.error).toContain('cosign is not to be had')
})

test('the plan was its owner’s only, and is gone', async () => {
  const modes = await Promise.all(
    ['mode', 'dirmode'].map((name) => Bun.file(inFolder(name)).text()),
  )
  expect(modes).toEqual(['600\n', '700\n'])
  const at = (await Bun.file(inFolder('at')).text()).trim()
  await expect(stat(at)).rejects.toThrow('ENOENT')
})
