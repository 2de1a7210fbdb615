// The schemas of Kubernetes for kubeconform, which has none: those of the package kubernetes-validate,
// each made a file that refers to nothing outside itself.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, must } from '../program.mjs'
import { Unjudged } from '../report.mjs'

/** The oldest that deploy/kubernetes runs on, and the newest that it is held to. */
export const versions = ['1.30.0', '1.34.0']

/** Custom resources: their schemas are their controllers' and come with no Kubernetes. */
export const withoutSchema = ['policy.sigstore.dev/v1alpha1 ClusterImagePolicy']

const definitionsPath = /^[^#]*#\/\$defs\//

/** Writes `<folder>/v<version>/<kind>….json` for each kind that a version has a schema of. */
export async function writeSchemas(kinds, folder) {
  const home = await findSchemas()
  for (const version of versions) {
    const from = join(home, `v${version}-local-strict`)
    if (!existsSync(from)) throw new Unjudged(`there are no schemas of Kubernetes ${version}`)
    const definitions = readJson(join(from, '_definitions.json')).$defs
    mkdirSync(join(folder, `v${version}`), { recursive: true })
    for (const name of new Set(kinds.map(fileOf))) {
      if (!existsSync(join(from, name))) continue
      const schema = standAlone(readJson(join(from, name)), definitions)
      writeFileSync(join(folder, `v${version}`, name), JSON.stringify(schema))
    }
  }
}

/** As both the package and kubeconform name it: kind, first word of the group, version. */
function fileOf({ apiVersion, kind }) {
  const suffix = apiVersion.replace(/^([^./]+)(\.[^/]*)?\//, '$1-')
  return `${kind.toLowerCase()}-${suffix}.json`
}

/** Where the package lies, asked of the Python that its program names. */
async function findSchemas() {
  const program = await findProgram('kubernetes-validate')
  const [, python] = readFileSync(program, 'utf8').match(/^#!(.+)$/m) ?? []
  if (python === undefined) throw new Unjudged(`${program} names no Python`)
  const script = 'import kubernetes_validate; print(kubernetes_validate.__path__[0])'
  const path = (await must(python, ['-c', script])).toString().trim()
  return join(path, 'kubernetes-json-schema')
}

/** A schema with every definition that it reaches, under the name that it is called by. */
export function standAlone(schema, definitions) {
  const taken = {}
  const rewrite = (value) => {
    if (Array.isArray(value)) return value.map(rewrite)
    if (value === null || typeof value !== 'object') return value
    const entries = Object.entries(value).filter(([key]) => key !== '$id')
    return Object.fromEntries(
      entries.map(([key, inner]) => [
        key,
        key === '$ref' && typeof inner === 'string' ? take(inner) : rewrite(inner),
      ]),
    )
  }
  const take = (reference) => {
    const name = reference.replace(definitionsPath, '')
    if (!Object.hasOwn(taken, name)) {
      if (!Object.hasOwn(definitions, name)) throw new Unjudged(`no definition of ${name}`)
      // Before it is filled, for some hold themselves.
      taken[name] = undefined
      taken[name] = rewrite(definitions[name])
    }
    return `#/$defs/${name}`
  }
  return { ...rewrite(schema), $defs: taken }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
