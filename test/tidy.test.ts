import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { z } from 'zod'
import { createMetrics } from '#core/metrics.ts'
import { jobKinds } from '../commands/job-kinds.ts'
import { errorCatalog } from '../core/errors.ts'
import { migrations } from '../core/postgres/migrations.ts'

const root = join(import.meta.dir, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const productRooms = ['core', 'gateway', 'workers', 'commands']
const rooms = [...productRooms, 'ci', 'client', 'deploy', 'policy', 'test']
const files = rooms
  .filter((room) => existsSync(join(root, room)))
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((path) =>
      join(room, path),
    ),
  )
const sources = ['main.ts', ...files.filter((path) => /\.(tsx?|mjs)$/.test(path))]
const roomOf = (path: string) => (path.includes('/') ? path.split('/')[0] : path)
const product = sources.filter((path) => productRooms.includes(roomOf(path) ?? ''))
const others = sources.filter((path) => path !== 'test/tidy.test.ts')
const tests = others.filter((path) => path.startsWith('test/'))

/** Bans: what must not stand where, and what to write in its place. */
function offences(paths: readonly string[], banned: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, at) => (banned.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  )
}

test('only main.ts reads the environment: a value is handed over as a parameter', () => {
  const banned = /\b(process|Bun|import\.meta)\s*(\.|\?\.)\s*env\b|\b(process|Bun)\['env'\]/
  expect(offences(product, banned)).toEqual([])
})

test('a file is named for the thing or the verb, never for a drawer', () => {
  const drawers = [
    ...['util', 'utils', 'common', 'misc', 'shared', 'manager', 'types', 'interfaces'],
    ...['constants', 'index', 'helper', 'helpers'],
  ]
  const words = (path: string) => path.split(/[/.-]/)
  const named = sources.filter((path) => words(path).some((word) => drawers.includes(word)))
  expect(named).toEqual([])
})

test.each([
  ['core', ['gateway', 'workers', 'commands', 'client', 'main.ts', 'test']],
  ['gateway', ['workers', 'commands', 'client', 'main.ts', 'test']],
  ['workers', ['gateway', 'commands', 'client', 'main.ts', 'test']],
  ['commands', ['client', 'main.ts', 'test']],
  ['client', [...productRooms, 'ci', 'main.ts', 'test']],
])('%s imports none of %j: gateway and workers meet in core', (room, forbidden) => {
  const inRoom = sources.filter((path) => roomOf(path) === room)
  const arrows = inRoom.flatMap((path) => importsOf(path).map((to) => ({ path, to })))
  expect(arrows.filter(({ to }) => forbidden.includes(roomOf(to) ?? ''))).toEqual([])
})

function importsOf(path: string): string[] {
  const specifiers = read(path).matchAll(/(?:from|import)\s*\(?\s*'((?:#|\.{1,2}\/)[^']+)'/g)
  return [...specifiers].map(([, specifier = '']) =>
    specifier.startsWith('#') ? specifier.slice(1) : normalize(join(dirname(path), specifier)),
  )
}

test('each error code has a section in the runbook and no section is left over', () => {
  const headings = [...read('deploy/RUNBOOK.md').matchAll(/^### `?([a-z_]+(?:\.[a-z_]+)?)`?$/gm)]
  const sections = headings.map(([, code = '']) => code)
  const codes = Object.keys(errorCatalog)
  expect(sections.toSorted()).toEqual(codes.toSorted())
})

test('each error code is met in a test', () => {
  const text = tests.map(read).join('\n')
  const codes = Object.keys(errorCatalog)
  const isMet = (code: string) => new RegExp(`['/]${RegExp.escape(code)}['" ]`).test(text)
  expect(codes.filter((code) => !isMet(code))).toEqual([])
})

test.each([...jobKinds.values()])('the job kind $name says how it is run', (kind) => {
  expect(kind.name).toMatch(/^[a-z]+(-[a-z]+)*$/)
  expect(kind.payload.safeParse(undefined).success).toBe(false)
  expect(kind.result).toBeInstanceOf(z.ZodType)
  if (kind.scope !== undefined) expect(kind.payload.safeParse(kind.example).success).toBe(true)
  for (const amount of ['attemptsMax', 'timeoutMs', 'retentionDays', 'concurrency'] as const) {
    expect(kind[amount]).toBeGreaterThan(0)
  }
  expect(kind.backoff.firstMs).toBeGreaterThan(0)
  expect(kind.backoff.capMs).toBeGreaterThanOrEqual(kind.backoff.firstMs)
})

test.each([...jobKinds.keys()])('the job kind %s has a processor that workers open', (name) => {
  const processor = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  expect(read('commands/open-workers.ts')).toContain(`${processor}({`)
  expect(read(`workers/${name}.ts`)).toContain(`${processor}Kind`)
})

test('each migration is embedded, in order and without a gap', () => {
  const onDisk = readdirSync(join(root, 'core/postgres/sql')).sort()
  const embedded = migrations.map(
    ({ number, name }) => `${String(number).padStart(4, '0')}-${name}.sql`,
  )
  expect(embedded).toEqual(onDisk)
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, at) => at + 1))
  for (const { number, sql } of migrations) {
    expect(sql).toBe(read(`core/postgres/sql/${embedded[number - 1]}`))
  }
})

const metricNames = createMetrics()
  .registry.getMetricsAsArray()
  .map((metric) => metric.name)

test('each metric but those of secret stores has the prefix, and a name of its own', () => {
  expect(metricNames.filter((name) => !/^postern_[a-z0-9_]+$/.test(name))).toEqual([
    'secrets_accessed_total',
    'secret_access_latency_seconds',
    'secrets_cache_hits_total',
    'secrets_cache_misses_total',
    'secrets_rotated_total',
  ])
  expect(new Set(metricNames).size).toBe(metricNames.length)
})

/** What ci/ tells is declared there. */
const declared = [...read('ci/report.mjs').matchAll(/^ {2}(postern_\w+): '/gm)].map(
  ([, name = '']) => name,
)

test('a metric named in an alert or a dashboard exists', () => {
  const watched = files.filter((path) => /^deploy\/(prometheus|grafana)\/.*\./.test(path)).map(read)
  const named = watched.flatMap((text) => text.match(/\bpostern_[a-z0-9_]+\b/g) ?? [])
  const bare = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
  const known = [...metricNames, ...declared]
  const isKnown = (name: string) => known.includes(name) || known.includes(bare(name))
  expect(named.filter((name) => !isKnown(name))).toEqual([])
})

test('what is left to do names its issue', () => {
  expect(offences(others, /\b(TODO|FIXME|XXX)\b(?!.*#\d+)/)).toEqual([])
})

test('policy/ holds no TypeScript', () => {
  expect(sources.filter((path) => path.startsWith('policy/'))).toEqual([])
})
