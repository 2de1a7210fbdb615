// `ci/apply-evidence` against a double of GitHub's command line, which answers as GitHub does.
import { afterAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript } from '#test/support/run-script.ts'

const { seal } = await import(join(import.meta.dir, '../../ci/supply/seal.mjs'))
const folder = await mkdtemp(join(tmpdir(), 'postern-evidence-'))
afterAll(() => rm(folder, { recursive: true }))

const key = Buffer.alloc(32, 7).toString('base64')
const pages = [{ data: { repository: { pullRequest: { number: 7, headRefName: 'deploy' } } } }]
const plan = { predicate: { images: [] } }

/** Knows one pull request and one run, and nothing else. */
const gh = `#!/bin/sh
case "$1 $2 $3" in
  'api graphql --paginate') cat "$DOUBLE/pages.json" ;;
  'api repos/o/n/activity?per_page=100&ref=refs%2Fheads%2Fdeploy '*) echo '[{"actor":{"login":"ann"}}]' ;;
  'run download 42') while [ "$1" != --dir ]; do shift; done; cp -R "$DOUBLE/artifact/." "$2" ;;
  *) echo "gh: not found: $*" >&2; exit 1 ;;
esac
`

async function gather(run: string, opener = key) {
  const double = join(folder, 'double')
  await mkdir(join(double, 'bin'), { recursive: true })
  await mkdir(join(double, 'artifact/attestations'), { recursive: true })
  await writeFile(join(double, 'bin/gh'), gh, { mode: 0o755 })
  await writeFile(join(double, 'pages.json'), JSON.stringify(pages))
  const sealed = seal(Buffer.from('the plan'), { POSTERN_PLAN_KEY: key })
  await writeFile(join(double, 'artifact/plan.sealed'), sealed)
  const payload = Buffer.from(JSON.stringify(plan)).toString('base64')
  const bundle = JSON.stringify({ dsseEnvelope: { payload } })
  await writeFile(join(double, 'artifact/attestations/plan.json'), bundle)
  const out = await mkdtemp(join(folder, 'out-'))
  const about = ['--repository', 'o/n', '--pull-request', '7', '--plan-run', run, '--image', 'r/i']
  const { exitCode } = await runScript('apply-evidence', [...about, '--out', out], '', {
    ...{ PATH: `${join(double, 'bin')}:${process.env['PATH']}`, DOUBLE: double },
    ...{ POSTERN_PLAN_KEY: opener, POSTERN_CI_METRICS: join(folder, 'metrics') },
  })
  return { code: exitCode, out }
}

test('what the gate decides on lies in one folder, the plan opened', async () => {
  const { code, out } = await gather('42')
  expect(code).toBe(0)
  expect(JSON.parse(await readFile(join(out, 'pull-request.json'), 'utf8'))).toEqual(pages)
  expect(JSON.parse(await readFile(join(out, 'pushes.json'), 'utf8'))).toHaveLength(1)
  expect(await readFile(join(out, 'plan.bin'), 'utf8')).toBe('the plan')
})

test('without the run, or with another key, there is no evidence', async () => {
  expect((await gather('43')).code).toBe(2)
  expect((await gather('42', Buffer.alloc(32, 8).toString('base64'))).code).toBe(2)
})
