import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dir, '../..')
const folder = 'deploy/prometheus'
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const yamlOf = (path: string): unknown => Bun.YAML.parse(read(path))

const files = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)
const testFiles = files.filter((path) => path.endsWith('.test.yaml'))
const ruleFiles = files.filter((path) => !testFiles.includes(path))

const alertRule = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
})
const recordRule = z.strictObject({ record: z.string(), expr: z.string() })
const rulesFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.union([alertRule, recordRule])) })),
})
const rules = ruleFiles.flatMap((path) =>
  rulesFile.parse(yamlOf(path)).groups.flatMap((group) => group.rules),
)
const alerts = rules.filter((rule) => 'alert' in rule)

const triesFile = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(
        z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }),
      ),
    }),
  ),
})
const tries = testFiles.flatMap((path) =>
  triesFile.parse(yamlOf(path)).tests.flatMap((one) => one.alert_rule_test),
)

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-')

function promtool(...args: readonly string[]) {
  const program = Bun.which('promtool')
  if (program === null) throw new Error('promtool is missing: `node ci/setup.mjs` installs it')
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...args], { cwd: root })
  return { exitCode, said: `${stdout}${stderr}` }
}

test('Prometheus takes every rule', () => {
  const { exitCode, said } = promtool('check', 'rules', ...ruleFiles)
  expect({ exitCode, said: exitCode === 0 ? '' : said }).toEqual({ exitCode: 0, said: '' })
})

test.each(testFiles)('what %s expects of alerts is what Prometheus makes of them', (path) => {
  const { exitCode, said } = promtool('test', 'rules', path)
  expect({ exitCode, said: exitCode === 0 ? '' : said }).toEqual({ exitCode: 0, said: '' })
})

test.each(alerts.map(({ alert }) => alert))('%s is tried both told and silent', (alert) => {
  const own = tries.filter(({ alertname }) => alertname === alert)
  const isTold = (one: (typeof own)[number]) => one.exp_alerts.length > 0
  expect([own.some(isTold), own.some((one) => !isTold(one))]).toEqual([true, true])
})

test('an alert has one name, and leads to a section that is there', () => {
  const names = alerts.map(({ alert }) => alert)
  expect(new Set(names).size).toBe(names.length)
  const pages = ['deploy/RUNBOOK.md', 'CONTRIBUTING.md']
  const anchors = pages.flatMap((page) =>
    [...read(page).matchAll(/^#{2,3} (.+)$/gm)].map(
      ([, heading = '']) => `${page}#${anchorOf(heading)}`,
    ),
  )
  const astray = alerts.filter(({ annotations }) => !anchors.includes(annotations.runbook))
  expect(astray.map(({ alert }) => alert)).toEqual([])
})

test('what a rule records is used by another', () => {
  const recorded = rules.flatMap((rule) => ('record' in rule ? [rule.record] : []))
  const used = alerts.map(({ expr }) => expr).join('\n')
  expect(recorded.filter((name) => !used.includes(name))).toEqual([])
})
