import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createMetrics } from '#core/metrics.ts'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const rule = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.object({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.object({ summary: z.string(), runbook: z.string() }),
})
const rulesFile = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) })
const rules = rulesFile
  .parse(Bun.YAML.parse(read('deploy/prometheus/alerts.yaml')))
  .groups.flatMap((group) => group.rules)

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-')

test('every alert leads to a section of the runbook', () => {
  const headings = [...read('deploy/RUNBOOK.md').matchAll(/^#{2,3} (.+)$/gm)]
  const anchors = headings.map(([, heading = '']) => `deploy/RUNBOOK.md#${anchorOf(heading)}`)
  const astray = rules.filter(({ annotations }) => !anchors.includes(annotations.runbook))
  expect(astray.map(({ alert }) => alert)).toEqual([])
})

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
