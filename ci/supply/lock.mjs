// What package-lock.json says, which is what the build installs; there is no bun.lock.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { Unjudged } from '../report.mjs'

export const lockPath = join(root, 'package-lock.json')

/** Every package once, however often it is installed, with the purls of what it asks for. */
export function readLock(text = readFileSync(lockPath, 'utf8')) {
  const lock = JSON.parse(text)
  const entries = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '')
  if (lock.lockfileVersion !== 3 || entries.length === 0) {
    throw new Unjudged('package-lock.json is not of version 3, or is empty')
  }
  const byPath = new Map(entries)
  const packages = new Map()
  for (const [path, entry] of entries) {
    const found = toPackage(path, entry, byPath)
    const known = packages.get(found.purl)
    // Installed for production anywhere, it is in production.
    packages.set(found.purl, {
      ...found,
      isDevelopment: found.isDevelopment && (known?.isDevelopment ?? true),
      requires: [...new Set([...(known?.requires ?? []), ...found.requires])].sort(),
    })
  }
  const project = lock.packages['']
  const direct = [...Object.keys(project.dependencies), ...Object.keys(project.devDependencies)]
  const requires = direct.map((name) => purlOf(`node_modules/${name}`, byPath)).sort()
  const sorted = [...packages.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1))
  return { name: project.name, version: project.version, requires, packages: sorted }
}

function toPackage(path, entry, byPath) {
  const asked = { ...entry.dependencies, ...entry.optionalDependencies }
  const resolved = Object.keys(asked).map((name) => resolve(path, name, byPath))
  return {
    name: nameOf(path, byPath),
    version: entry.version,
    purl: purlOf(path, byPath),
    integrity: entry.integrity,
    licence: entry.license,
    isDevelopment: entry.dev === true,
    hasInstallScript: entry.hasInstallScript === true,
    // An optional one for another platform may not be locked at all.
    requires: resolved.filter(Boolean).map((found) => purlOf(found, byPath)),
  }
}

/** What is installed under another name (`npm:`) says its own. */
function nameOf(path, byPath) {
  const folder = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  return byPath.get(path).name ?? folder
}

function purlOf(path, byPath) {
  return `pkg:npm/${nameOf(path, byPath).replace('@', '%40')}@${byPath.get(path).version}`
}

/** As Node looks for it: beside the package, then upwards. */
function resolve(from, name, byPath) {
  for (let folder = from; ; ) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (byPath.has(path)) return path
    if (folder === '') return undefined
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  }
}

/** `sha512-…` as hexadecimal, the only kind that npm writes today. */
export function sha512Of(integrity = '') {
  const [, base64] = integrity.match(/^sha512-([A-Za-z0-9+/]{86}==)$/) ?? []
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex')
}
