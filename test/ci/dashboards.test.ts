import { expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { createMetrics } from '#core/metrics.ts'

const root = join(import.meta.dir, '../..')
const folder = join(root, 'deploy/grafana')

const datasource = z.strictObject({
  type: z.literal('prometheus'),
  uid: z.literal('$' + '{datasource}'),
})
const targetSchema = z.object({ datasource, expr: z.string(), refId: z.string() })
const panelSchema = z.object({
  id: z.int(),
  title: z.string().min(1),
  type: z.string(),
  datasource: datasource.optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(targetSchema).optional(),
})
const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.int(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
  panels: z.array(panelSchema),
})
const dashboards = readdirSync(folder).map((name) => ({
  name,
  ...dashboardSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))),
}))
const expressions = dashboards.flatMap(({ panels }) =>
  panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
)

test.each(dashboards)('$name can be imported: one uid, and a source that is asked for', (one) => {
  expect(dashboards.filter(({ uid }) => uid === one.uid)).toHaveLength(1)
  expect(one.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' })
  const ids = one.panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const bare = one.panels.filter(({ type, datasource: of, targets = [] }) =>
    type === 'row' ? false : of === undefined || targets.length === 0,
  )
  expect(bare).toEqual([])
})

test.each(dashboards)('$name: no panel lies on another or beside the page', ({ panels }) => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
})

test('the board of the service has a row for each of its parts', () => {
  const board = dashboards.find(({ uid }) => uid === 'postern')
  const rows = board?.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
  expect(rows).toEqual([
    ...['Now', 'Serving', 'Jobs', 'Orders and breakers', 'Audit'],
    ...['Secrets and revocations', 'Schedules and drift', 'Incidents', 'Processes'],
  ])
})

test('every metric of ours is shown', () => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
    .filter((name) => !/^postern_(?:nodejs|process)_/.test(name))
  const shown = expressions.join('\n')
  expect(names.filter((name) => !new RegExp(`\\b${name}(?:_|\\b)`).test(shown))).toEqual([])
})

test('Prometheus can read every expression', () => {
  const program = Bun.which('promtool')
  if (program === null) throw new Error('promtool is missing: `node ci/setup.mjs` installs it')
  const plain = (expr: string) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*')
  const rules = expressions.map((expr, at) => ({ record: `panel:${at}`, expr: plain(expr) }))
  const place = mkdtempSync(join(tmpdir(), 'postern-dashboards-'))
  const file = join(place, 'rules.yaml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, 'check', 'rules', file])
  rmSync(place, { recursive: true })
  expect(exitCode === 0 ? '' : `${stdout}${stderr}`).toBe('')
})
