// One list of parts, written as CycloneDX and as SPDX. The same parts give the same bytes: no random
// serial number, and the time is the commit's.
import { createHash } from 'node:crypto'
import { sha512Of } from './lock.mjs'

/**
 * The parts of an image: what the lock file names, the runtime that carries it, and what the base
 * brings. `image` is what syft has found there, in CycloneDX, or undefined for the source alone.
 */
export function collectParts({ lock, bun, image }) {
  const locked = lock.packages.map((entry) => ({
    purl: entry.purl,
    name: entry.name,
    version: entry.version,
    licence: entry.licence,
    hashes: [['SHA-512', sha512Of(entry.integrity)]].filter(([, hash]) => hash !== undefined),
    requires: entry.requires,
    isDevelopment: entry.isDevelopment,
    from: 'package-lock.json',
  }))
  const runtime = {
    purl: `pkg:generic/bun@${bun.version}`,
    name: 'bun',
    version: bun.version,
    licence: bun.licence,
    hashes: [['SHA-256', bun.sha256]],
    requires: [],
    isDevelopment: false,
    from: 'the executable that the binary was compiled with',
  }
  const parts = [...locked, runtime, ...(image === undefined ? [] : partsOfImage(image))]
  return parts.sort((a, b) => (a.purl < b.purl ? -1 : 1))
}

function partsOfImage({ components = [] }) {
  const found = components
    .filter(({ type, purl }) => type === 'library' && purl !== undefined)
    .filter(({ purl }) => !purl.startsWith('pkg:npm/'))
  return found.map((component) => ({
    purl: component.purl,
    name: component.name,
    version: component.version,
    licence: licenceOf(component),
    hashes: [],
    requires: [],
    isDevelopment: false,
    from: 'the image',
  }))
}

/** All of them at once; a name that SPDX does not list stays a name. */
function licenceOf({ licenses = [] }) {
  const names = licenses
    .map(({ expression, license }) => expression ?? license?.id ?? license?.name)
    .filter(Boolean)
  return names.length === 0 ? undefined : names.sort()
}

export function toCycloneDx(parts, { subject, requires, time }) {
  const component = {
    type: subject.image === undefined ? 'application' : 'container',
    'bom-ref': 'postern',
    name: subject.name,
    version: subject.version,
    purl: subject.purl,
    ...(subject.binarySha256 && {
      hashes: [{ alg: 'SHA-256', content: subject.binarySha256 }],
    }),
    properties: properties({ commit: subject.commit, image: subject.image }),
  }
  const body = {
    metadata: {
      timestamp: time,
      tools: { components: [{ type: 'application', name: 'postern ci/sbom' }] },
      component,
    },
    components: parts.map(toComponent),
    dependencies: [
      { ref: 'postern', dependsOn: [...requires, ...roots(parts)].sort() },
      ...parts.map(({ purl, requires: dependsOn }) => ({ ref: purl, dependsOn })),
    ],
  }
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    version: 1,
    ...body,
  }
}

/** What nothing of the lock file asks for, and is there all the same. */
function roots(parts) {
  return parts.filter(({ from }) => from !== 'package-lock.json').map(({ purl }) => purl)
}

function toComponent({ purl, name, version, licence, hashes, isDevelopment, from }) {
  const scoped = purl.startsWith('pkg:npm/') && name.startsWith('@') ? name.split('/') : undefined
  return {
    type: 'library',
    'bom-ref': purl,
    ...(scoped === undefined ? { name } : { group: scoped[0], name: scoped[1] }),
    version,
    purl,
    // In the image is what production needs; the rest has built and tested it.
    scope: isDevelopment ? 'excluded' : 'required',
    ...(hashes.length > 0 && { hashes: hashes.map(([alg, content]) => ({ alg, content })) }),
    ...(licence !== undefined && { licenses: toLicences(licence) }),
    properties: properties({ from }),
  }
}

function toLicences(licence) {
  if (typeof licence === 'string') {
    return / (OR|AND|WITH) /.test(licence)
      ? [{ expression: licence }]
      : [{ license: { id: licence } }]
  }
  return licence.map((name) => ({ license: { name } }))
}

function properties(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name: `postern:${name}`, value }))
}

export function toSpdx(parts, { subject, requires, time }) {
  const text = JSON.stringify(parts)
  const ids = new Map(parts.map(({ purl }, at) => [purl, `SPDXRef-Part-${at}`]))
  const relation = (from, type, to) => ({
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  })
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.name}-${subject.version}`,
    documentNamespace: `https://postern.example/spdx/${uuidOf(text + JSON.stringify(subject))}`,
    creationInfo: { created: time, creators: ['Tool: postern-ci-sbom'] },
    packages: [
      {
        SPDXID: 'SPDXRef-Postern',
        name: subject.name,
        versionInfo: subject.version,
        downloadLocation: 'NOASSERTION',
        primaryPackagePurpose: subject.image === undefined ? 'APPLICATION' : 'CONTAINER',
        ...(subject.binarySha256 && {
          checksums: [{ algorithm: 'SHA256', checksumValue: subject.binarySha256 }],
        }),
        externalRefs: [purlReference(subject.purl)],
      },
      ...parts.map((part) => toPackage(part, ids)),
    ],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-Postern'),
      ...[...requires, ...roots(parts)].map((purl) =>
        relation('SPDXRef-Postern', 'DEPENDS_ON', ids.get(purl)),
      ),
      ...parts.flatMap(({ purl, requires: others }) =>
        others.map((other) => relation(ids.get(purl), 'DEPENDS_ON', ids.get(other))),
      ),
    ],
  }
}

function toPackage({ purl, name, version, licence, hashes, isDevelopment, from }, ids) {
  const isListed = typeof licence === 'string'
  return {
    SPDXID: ids.get(purl),
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: isListed ? licence : 'NOASSERTION',
    ...(licence !== undefined && !isListed && { licenseComments: licence.join(', ') }),
    checksums: hashes.map(([algorithm, checksumValue]) => ({
      algorithm: algorithm.replace('-', ''),
      checksumValue,
    })),
    comment: `${from}${isDevelopment ? '; development only' : ''}`,
    externalRefs: [purlReference(purl)],
  }
}

function purlReference(purl) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }
}

/** By content, marked as of the custom kind, version 8. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex')
  const variant = ((Number.parseInt(hex[16], 16) & 3) | 8).toString(16)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`]
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** What must be in an SBOM, from sources other than the SBOM; empty if all of it is. */
export function missingFrom({ components }, { lock, bun, basePackages }) {
  const byPurl = new Map(components.map((component) => [component.purl.split('?')[0], component]))
  const missing = lock.packages.map(({ purl }) => purl).filter((purl) => !byPurl.has(purl))
  const runtime = byPurl.get(`pkg:generic/bun@${bun.version}`)
  const isHashed = runtime?.hashes?.some(({ content }) => content === bun.sha256)
  if (!isHashed) missing.push(`pkg:generic/bun@${bun.version} with SHA-256 ${bun.sha256}`)
  const debian = [...byPurl.keys()].filter((purl) => purl.startsWith('pkg:deb/'))
  const isThere = (name) => debian.some((purl) => purl.split('/').at(-1).startsWith(`${name}@`))
  if (basePackages === undefined) return missing
  if (basePackages.length === 0) return [...missing, 'any package of the base']
  return [...missing, ...basePackages.filter((name) => !isThere(name))]
}
