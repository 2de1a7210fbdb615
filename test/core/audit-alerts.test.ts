import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createMetrics } from '#core/metrics.ts'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const rulesFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) })),
})
const rules = rulesFile
  .parse(Bun.YAML.parse(read('deploy/prometheus/alerts.yaml')))
  .groups.flatMap((group) => group.rules)

test('every metric of the audit log is watched by an alert', () => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map((metric) => metric.name)
    .filter((name) => name.startsWith('postern_audit_'))
  const watched = rules.map(({ expr }) => expr).join('\n')
  const unwatched = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(watched))
  expect(names.length).toBeGreaterThan(8)
  expect(unwatched).toEqual([])
})
