import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const { metrics } = z
  .object({ metrics: z.record(z.string(), z.string()) })
  .parse(await import(join(root, 'ci/report.mjs')))

const rulesFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
})
const { groups } = rulesFile.parse(Bun.YAML.parse(read('deploy/prometheus/ci-alerts.yaml')))
const rules = groups.flatMap((group) => group.rules)
const shown = [...rules.map(({ expr }) => expr), read('deploy/grafana/ci-row.json')].join('\n')

test.each(Object.keys(metrics))('%s is watched by an alert and shown in the row', (metric) => {
  expect(rules.filter(({ expr }) => expr.includes(metric)).length).toBeGreaterThan(0)
  expect(read('deploy/grafana/ci-row.json')).toContain(metric)
})

test('no alert or panel names a metric that no step tells', () => {
  const named = shown.match(/\bpostern_[a-z_]+/g) ?? []
  expect(named.filter((name) => !Object.hasOwn(metrics, name))).toEqual([])
})

test('each alert is tried by a test for promtool', () => {
  const text = read('deploy/prometheus/ci-alerts.test.yaml')
  const tried = [...text.matchAll(/alertname: (\w+)/g)].map(([, name = '']) => name)
  expect(rules.map(({ alert }) => alert).filter((alert) => !tried.includes(alert))).toEqual([])
})
