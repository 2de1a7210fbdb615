import { expect, test } from 'bun:test'
import { join } from 'node:path'

// By names that are put together: TypeScript has no types for what Node runs.
const load = (name: string) => import(join(import.meta.dir, '../../ci/supply', `${name}.mjs`))
const { judgeVulnerabilities, readAccepted, severityOfScore, severityOfWord } =
  await load('accepted')
const { readLock, sha512Of } = await load('lock')
const { collectParts, missingFrom, toCycloneDx, toSpdx } = await load('bom')
const { readPins, writePin } = await load('pins')
const { parseReference } = await load('image')
const { imagesOf, taggedRatioOf, violationsOf } = await load('plan-facts')
const { seal, unseal } = await load('seal')

const hash = 'a'.repeat(64)
const digest = `sha256:${hash}`
const bun = { version: '1.4.5', licence: 'MIT', sha256: hash }
const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`

const lock = readLock(
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': {
        name: 'x',
        version: '1.0.0',
        dependencies: { '@a/b': '1' },
        devDependencies: { c: '1' },
      },
      'node_modules/@a/b': {
        version: '1.0.0',
        license: 'MIT',
        integrity,
        dependencies: { c: '2' },
      },
      'node_modules/@a/b/node_modules/c': { version: '2.0.0', license: 'ISC', integrity },
      'node_modules/c': { version: '1.0.0', license: '(MIT OR ISC)', integrity, dev: true },
      'node_modules/d': { version: '2.0.0', integrity, dev: true, dependencies: { c: '1' } },
      'node_modules/d/node_modules/e': { version: '1.0.0', integrity, dev: true },
      'node_modules/e': { version: '1.0.0', integrity },
      'node_modules/alias': { name: 'real', version: '3.0.0', integrity },
    },
  }),
)

test('a package is resolved as Node resolves it, and scoped names are escaped', () => {
  expect(lock.requires).toEqual(['pkg:npm/%40a/b@1.0.0', 'pkg:npm/c@1.0.0'])
  const byPurl = new Map(lock.packages.map((entry: { purl: string }) => [entry.purl, entry]))
  expect(byPurl.get('pkg:npm/%40a/b@1.0.0')).toMatchObject({ requires: ['pkg:npm/c@2.0.0'] })
  expect(byPurl.get('pkg:npm/d@2.0.0')).toMatchObject({ requires: ['pkg:npm/c@1.0.0'] })
})

test('what is installed under another name is told by its own', () => {
  const purls = lock.packages.map(({ purl }: { purl: string }) => purl)
  expect(purls.filter((purl: string) => /alias|real/.test(purl))).toEqual(['pkg:npm/real@3.0.0'])
})

test('what is installed for production anywhere is in production', () => {
  const [found] = lock.packages.filter(({ name }: { name: string }) => name === 'e')
  expect(found.isDevelopment).toBe(false)
})

test.each([['{}'], ['{"lockfileVersion":3,"packages":{"":{}}}'], ['{"lockfileVersion":2}']])(
  'a lock file %s is not judged',
  (text) => expect(() => readLock(text)).toThrow(),
)

const image = {
  components: [
    {
      type: 'library',
      name: 'libc6',
      version: '2.41',
      purl: 'pkg:deb/debian/libc6@2.41?arch=amd64',
    },
    { type: 'file', name: '/etc/passwd' },
  ],
}
const parts = collectParts({ lock, bun, image })
const subject = { name: 'x', version: '1.0.0', purl: 'pkg:generic/x@1.0.0', binarySha256: hash }
const context = { subject, requires: lock.requires, time: '2026-01-01T00:00:00Z' }
const cycloneDx = toCycloneDx(parts, context)
const basePackages = ['libc6']

test('an SBOM names every package of the lock file, Bun with its hash, and the base', () => {
  expect(missingFrom(cycloneDx, { lock, bun, basePackages })).toEqual([])
})

test.each(cycloneDx.components.map(({ purl }: { purl: string }) => purl))(
  'without %s it is told what is missing',
  (purl) => {
    const components = cycloneDx.components.filter((part: { purl: string }) => part.purl !== purl)
    expect(missingFrom({ components }, { lock, bun, basePackages })).toHaveLength(1)
  },
)

test.each([
  ['another Bun', { bun: { ...bun, sha256: 'b'.repeat(64) }, basePackages }],
  ['a package of the base that nobody found', { bun, basePackages: ['libc6', 'tzdata'] }],
  ['a base of nothing', { bun, basePackages: [] }],
])('%s is missing', (_, sources) => {
  expect(missingFrom(cycloneDx, { lock, ...sources })).toHaveLength(1)
})

test('every relation in both forms is between parts that are there', () => {
  const refs = ['postern', ...cycloneDx.components.map((part: { purl: string }) => part.purl)]
  for (const { ref, dependsOn } of cycloneDx.dependencies) {
    expect([ref, ...dependsOn].filter((each) => !refs.includes(each))).toEqual([])
  }
  const spdx = toSpdx(parts, context)
  const ids = ['SPDXRef-DOCUMENT', ...spdx.packages.map((part: { SPDXID: string }) => part.SPDXID)]
  for (const { spdxElementId, relatedSpdxElement } of spdx.relationships) {
    expect([spdxElementId, relatedSpdxElement].filter((id) => !ids.includes(id))).toEqual([])
  }
})

test('the same parts give the same bytes, and others another serial number', () => {
  expect(toCycloneDx(parts, context)).toEqual(cycloneDx)
  expect(toCycloneDx(parts.slice(1), context).serialNumber).not.toBe(cycloneDx.serialNumber)
  expect(cycloneDx.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/)
})

test.each([
  ['sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=', undefined],
  [undefined, undefined],
  [integrity, '01'.repeat(64)],
])('the integrity %s is the hash %s', (given, expected) => {
  expect(sha512Of(given)).toBe(expected)
})

test.each([
  ['', 'unknown'],
  ['3.9', 'low'],
  ['4.0', 'medium'],
  ['7', 'high'],
  ['9.0', 'critical'],
  ['often', 'unknown'],
])('a score of %p is %s', (score, severity) => expect(severityOfScore(score)).toBe(severity))

test('a word that no scanner has is unknown', () => {
  expect(['High', 'MODERATE', 'negligible', 'Unknown', undefined].map(severityOfWord)).toEqual([
    ...['high', 'medium', 'low', 'unknown', 'unknown'],
  ])
})

const found = { id: 'GHSA-1', aliases: ['CVE-1'], package: 'p', version: '1', severity: 'unknown' }

test.each([
  ['of unknown severity', [], ['high']],
  [
    'accepted by another name until today',
    [{ id: 'CVE-1', package: 'p', until: '2026-02-01' }],
    [],
  ],
  ['accepted until yesterday', [{ id: 'CVE-1', package: 'p', until: '2026-01-31' }], ['high']],
  ['accepted elsewhere', [{ id: 'CVE-1', package: 'q', until: '2027-01-01' }], ['high']],
])('a vulnerability %s', (_, accepted, severities) => {
  const judged = judgeVulnerabilities([found], accepted, '2026-02-01')
  expect(judged.map(({ severity }: { severity: string }) => severity)).toEqual(severities)
})

test('what is accepted without a reason or a last day is not', () => {
  const text = JSON.stringify({ vulnerabilities: [{ id: 'CVE-1', package: 'p', reason: 'x' }] })
  expect(() => readAccepted(text)).toThrow()
})

const dockerfile = `ARG BUILD=node:22\nARG BASE=gcr.io/a/b:c@${digest}\nARG BINARY=build\n`

test('a base without a whole digest is unknown', () => {
  expect(readPins(dockerfile).map((pin: { digest?: string }) => pin.digest)).toEqual([
    ...[undefined, digest],
  ])
  expect(readPins('ARG BASE=a/b@sha256:abc')[0].digest).toBeUndefined()
})

test('a pin goes where it belongs and changes nothing else', () => {
  const pinned = writePin(dockerfile, { argument: 'BUILD', name: 'node:22', digest })
  expect(pinned).toBe(dockerfile.replace('BUILD=node:22', `BUILD=node:22@${digest}`))
  expect(writePin(pinned, { argument: 'BUILD', name: 'node:22', digest })).toBe(pinned)
})

test.each([[`r.example/p:v1`], [`r.example/p@sha256:abc`], [`p@${digest}`], [`-x/p@${digest}`]])(
  '%s is no image',
  (text) => expect(() => parseReference(text)).toThrow(),
)

test('an image in a task definition, which is text in text, is named too', () => {
  const text = JSON.stringify([{ image: `r.example/p@${digest}` }])
  expect(imagesOf({ planned_values: { x: text, y: text } })).toEqual([digest])
})

test('of what can carry tags is counted how much carries all', () => {
  const change = (after: unknown) => ({ mode: 'managed', change: { after } })
  const all = { environment: 'prod', owner: 'a', cost_center: '1' }
  expect(taggedRatioOf({ resource_changes: [change({}), change(null)] })).toBeNull()
  const changes = [
    change({ tags_all: all }),
    change({ tags_all: { ...all, owner: '' } }),
    change({}),
  ]
  expect(taggedRatioOf({ resource_changes: changes })).toBe(0.5)
})

test('warnings are no violations', () => {
  const results = [{ id: 'a' }, { id: 'a' }, { id: 'b', outcome: 'warn' }]
  expect([...violationsOf({ files: [{ report: { results } }, {}] })]).toEqual([['a', 2]])
})

const env = { POSTERN_PLAN_KEY: Buffer.alloc(32, 7).toString('base64') }

test('a sealed plan is opened by its key, and by no other, and not when a bit has changed', () => {
  const sealed = seal(Buffer.from('plan'), env)
  expect(unseal(sealed, env).toString()).toBe('plan')
  const other = { POSTERN_PLAN_KEY: Buffer.alloc(32, 8).toString('base64') }
  expect(() => unseal(sealed, other)).toThrow()
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(changed, env)).toThrow()
  }
  expect(() => unseal(sealed.subarray(0, 10), env)).toThrow()
  expect(() => seal(Buffer.from('plan'), {})).toThrow()
})
