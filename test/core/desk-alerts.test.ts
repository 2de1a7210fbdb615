import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { severities } from '#core/drift/drift-policy.ts'
import { breakerStateSchema } from '#core/market/breaker.ts'
import { orderTypes } from '#core/order/order.ts'

const rulesFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
})
const text = readFileSync(join(import.meta.dir, '../../deploy/prometheus/alerts.yaml'), 'utf8')
const rules = rulesFile.parse(Bun.YAML.parse(text)).groups.flatMap((group) => group.rules)

/** The values that selectors of a metric ask for under a label. */
function selected(metric: string, label: string): readonly string[] {
  const selectors = rules.flatMap(({ expr }) => [...expr.matchAll(/(\w+)\{([^}]*)\}/g)])
  return selectors
    .filter(([, name = '']) => name.replace(/_(bucket|sum|count)$/, '') === metric)
    .flatMap(([, , labels = '']) => [...labels.matchAll(/(\w+)=~?"([^"]*)"/g)])
    .filter(([, name]) => name === label)
    .flatMap(([, , values = '']) => values.split('|'))
}

test.each([
  'postern_venue_breaker_open',
  'postern_venue_calls_seconds',
  'postern_reconcile_mismatches_total',
  'postern_order_quarantined_total',
  'postern_market_stale_seconds',
  'postern_market_breaker',
  'postern_order_fill_seconds',
  'postern_desk_entry_seconds',
  'postern_drift_findings',
  'postern_drift_last_check_timestamp_seconds',
])('%s is watched by an alert', (metric) => {
  const watching = rules.filter(({ expr }) => new RegExp(`\\b${metric}(_|\\b)`).test(expr))
  expect(watching.length).toBeGreaterThan(0)
})

test.each([
  ['postern_reconcile_mismatches_total', 'healed', ['true', 'false']],
  ['postern_venue_calls_seconds', 'outcome', ['unavailable', 'unknown']],
  ['postern_market_breaker', 'clock', ['live', 'replay']],
  ['postern_market_breaker', 'status', breakerStateSchema.shape.status.options],
  ['postern_order_fill_seconds', 'type', orderTypes],
  ['postern_drift_findings', 'severity', severities],
] as const)('an alert on %s asks for values of %s that there are', (metric, label, values) => {
  const asked = selected(metric, label)
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.filter((value) => !values.some((known) => known === value))).toEqual([])
})

test('every severity of drift is somebody’s', () => {
  const asked = selected('postern_drift_findings', 'severity')
  expect([...asked].sort()).toEqual([...severities].sort())
})
