import { expect, test } from 'bun:test'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dir, '../..')
const folder = join(root, '.github/workflows')
const names = readdirSync(folder)

const workflow = z.object({
  permissions: z.unknown(),
  jobs: z.record(
    z.string(),
    z.object({
      permissions: z.record(z.string(), z.string()),
      'timeout-minutes': z.number(),
      environment: z.string().optional(),
      steps: z.array(
        z.object({
          run: z.string().optional(),
          uses: z.string().optional(),
          with: z.record(z.string(), z.unknown()).optional(),
        }),
      ),
    }),
  ),
})
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const jobs = (name: string) => Object.values(workflow.parse(Bun.YAML.parse(read(name))).jobs)
const steps = (name: string) => jobs(name).flatMap((job) => job.steps)

test.each(names)('%s grants nothing on top, and each job names what it needs', (name) => {
  expect(workflow.parse(Bun.YAML.parse(read(name))).permissions).toEqual({})
})

test.each(names)('%s runs scripts of this repository and nothing else', (name) => {
  const runs = steps(name).flatMap(({ run }) => (run === undefined ? [] : [run.trim()]))
  expect(runs.length).toBeGreaterThan(0)
  for (const run of runs) {
    const [, script = ''] = run.match(/^(?:sudo )?(\.ci\/run|ci\/[\w.-]+)(?: [^\n;&|`]*)?$/) ?? []
    expect({ run, script }).toEqual({ run, script: expect.stringMatching(/./) })
    accessSync(join(root, script), constants.X_OK)
    // What somebody else has written comes in through the environment.
    expect(run).not.toContain('${{')
  }
})

test.each(names)('%s uses actions by commit, with the version beside it', (name) => {
  const used = [...read(name).matchAll(/uses: (.+)/g)].map(([, what]) => what)
  for (const what of used) expect(what).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(names)('%s leaves no token behind in a checkout', (name) => {
  const checkouts = steps(name).filter(({ uses }) => uses?.startsWith('actions/checkout@'))
  expect(checkouts.length).toBeGreaterThan(0)
  for (const checkout of checkouts) expect(checkout.with?.['persist-credentials']).toBe(false)
})

test('nothing is applied before the gate, nor outside its environment', () => {
  for (const job of jobs('apply.yaml')) {
    const runs = job.steps.map(({ run = '' }) => run)
    const applies = runs.findIndex((run) => run.startsWith('ci/apply '))
    if (applies === -1) continue
    expect(job.environment).toBe('prod')
    const gate = runs.findIndex((run) => run.startsWith('ci/apply-gate '))
    expect(gate).toBeGreaterThan(-1)
    expect(gate).toBeLessThan(applies)
  }
})

test('what a release pushes it signs, and verifies what it has signed', () => {
  const runs = steps('release.yaml').map(({ run = '' }) => run.split(' ')[0])
  const order = ['ci/release', 'ci/reproducible', 'ci/image-build', 'ci/sbom', 'ci/image-scan']
  const expected = [...order, 'ci/sign', 'ci/verify']
  expect(runs.filter((run = '') => expected.includes(run))).toEqual(expected)
})

test.each([
  ['daily.yaml', '17 4 * * *'],
  ['weekly.yaml', '0 2 * * 1'],
])('%s runs at %s', (name, cron) => {
  expect(read(name)).toMatch(new RegExp(`- cron: (["'])${RegExp.escape(cron)}\\1`))
})

test.each(['clusterimagepolicy.yaml', 'imagevalidatingpolicy.yaml'])(
  '%s asks for a signature by the release workflow that there is',
  (name) => {
    const text = readFileSync(join(root, 'deploy/kubernetes/policy', name), 'utf8')
    const paths = [...text.matchAll(/\.github\/workflows\/([\w.-]+)/g)].map(([, path]) => path)
    expect(new Set(paths)).toEqual(new Set(['release.yaml']))
    expect(names).toContain('release.yaml')
  },
)
