// What kubeconform and conftest say of the rendered manifests. Each is given a planted fault first: a
// tool that finds nothing there has looked at nothing, whatever its exit code says.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { complaint, findProgram, parseReport, run } from '../program.mjs'
import { Unjudged } from '../report.mjs'
import { documentsOf, isPinned, withDigest } from './render.mjs'
import { versions, withoutSchema, writeSchemas } from './schemas.mjs'

export const planted = join(root, 'ci', 'infrastructure', 'planted')

/** Files `<folder>/<name>.yaml` of what was rendered, with a digest everywhere. */
export function writeManifests(rendered, folder) {
  mkdirSync(folder, { recursive: true })
  return rendered.map((each) => {
    const path = join(folder, `${each.name}.yaml`)
    writeFileSync(path, withDigest(each))
    return path
  })
}

export async function kubeconform(rendered, folder, note) {
  const program = await findProgram('kubeconform')
  const bad = join(planted, 'manifest.yaml')
  const kinds = [
    ...rendered.flatMap(({ documents }) => documents),
    ...documentsOf(readFileSync(bad, 'utf8'), bad),
  ]
  const schemas = join(folder, 'schemas')
  await writeSchemas(kinds, schemas)
  const location = join(
    schemas,
    '{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json',
  )
  const flags = ['-strict', '-verbose', '-ignore-missing-schemas', '-output', 'json']
  const ask = async (version, paths) => {
    const words = [...flags, '-kubernetes-version', version, '-schema-location', location]
    const result = await run(program, [...words, ...paths])
    if (result.code > 1) throw new Unjudged(`it ${complaint(result)}`)
    return parseReport('kubeconform', result.out).resources ?? []
  }
  const paths = writeManifests(rendered, join(folder, 'rendered'))
  const findings = []
  const notValidated = new Set()
  for (const version of versions) {
    const [found] = await ask(version, [bad])
    if (found?.status !== 'statusInvalid') throw new Unjudged(`${version} lets ${bad} pass`)
    const judged = judgeResources(await ask(version, paths), kinds.length - 1)
    findings.push(
      ...judged.findings.map((text) => ({ severity: 'high', text: `${version}: ${text}` })),
    )
    for (const kind of judged.notValidated) notValidated.add(kind)
  }
  note('notValidated', [...notValidated])
  return findings
}

/** What is wrong, and which custom resources were passed over. */
export function judgeResources(resources, expected) {
  const validated = resources.filter(({ status }) => status !== 'statusSkipped')
  if (validated.length === 0) throw new Unjudged('no resource was validated')
  if (resources.length !== expected) {
    throw new Unjudged(`it has looked at ${resources.length} of ${expected} resources`)
  }
  const skipped = resources.filter(({ status }) => status === 'statusSkipped')
  const notValidated = [...new Set(skipped.map(({ version, kind }) => `${version} ${kind}`))]
  return {
    notValidated,
    findings: [
      ...notValidated
        .filter((kind) => !withoutSchema.includes(kind))
        .map((kind) => `${kind} has no schema, and is not among those that have none`),
      ...validated
        .filter(({ status }) => status !== 'statusValid')
        .map((resource) => `${resource.kind}/${resource.name}: ${wordsOf(resource)}`),
    ],
  }
}

/** Where the schema names the places, these; the message names the schema's file besides. */
function wordsOf({ msg = '', validationErrors: errors = [] }) {
  if (errors.length === 0) return msg.replaceAll(/\s+/g, ' ')
  return errors.map(({ path, msg: word }) => `${path || '/'}: ${word}`).join('; ')
}

/**
 * In a copy of policy/ without tests and fixtures: conftest would evaluate the ones, and take every
 * JSON file of the others for data.
 */
export async function conftest(rendered, folder, note) {
  const program = await findProgram('conftest')
  stagePolicy(folder)
  const ask = async (path) => {
    const args = ['test', '--config-file', 'policy/conftest.toml', '--output', 'json', path]
    const result = await run(program, args, { cwd: folder })
    // Also 1, like a denial, where it could not load the policy; then it reports nothing.
    if (result.code > 1 || result.out.length === 0) throw new Unjudged(`it ${complaint(result)}`)
    return parseReport('conftest', result.out)
  }
  const isRefused = (report) => report.some(({ failures = [] }) => failures.length > 0)
  const bad = join(planted, 'manifest.yaml')
  if (!isRefused(await ask(bad))) throw new Unjudged(`it lets ${bad} pass`)
  const findings = []
  const paths = writeManifests(rendered, join(folder, 'rendered'))
  for (const [index, { documents }] of rendered.entries()) {
    findings.push(...judgeConftest(await ask(paths[index]), documents.length))
  }
  findings.push(...judgeConftest(await ask(join(root, 'deploy', 'compose.yaml')), 1))
  const open = rendered.filter((each) => !isPinned(each))
  note(
    'withStandInDigest',
    open.map(({ name }) => name),
  )
  for (const { name, text } of open) {
    const path = join(folder, `${name}-as-it-is.yaml`)
    writeFileSync(path, text)
    findings.push(...judgeUnpinned(name, await ask(path)))
  }
  return findings
}

/** Two sets of results for each document, `deny` and `warn`; whatever holds less was not judged. */
export function judgeConftest(report, documents) {
  const judged = report.reduce(
    (sum, { successes = 0, failures = [], warnings = [] }) =>
      sum + successes + failures.length + warnings.length,
    0,
  )
  if (judged < 2 * documents)
    throw new Unjudged(`it has judged ${judged / 2} of ${documents} documents`)
  return report.flatMap(({ filename, failures = [], warnings = [] }) =>
    [...failures, ...warnings].map(({ msg, metadata }) => ({
      severity: metadata?.severity ?? 'high',
      text: `${filename.split('/').at(-1)}: ${metadata?.id} ${metadata?.address}: ${msg}`,
    })),
  )
}

/** What nobody has looked up has to be refused, and by the rule of images alone. */
export function judgeUnpinned(name, report) {
  const rules = report.flatMap(({ failures = [] }) => failures.map(({ metadata }) => metadata?.id))
  if (rules.length > 0 && rules.every((id) => id === 'kubernetes.pod.image')) return []
  const by = rules.length === 0 ? 'nothing' : [...new Set(rules)].join(', ')
  return [{ severity: 'high', text: `${name} without a digest is refused by ${by}` }]
}

function stagePolicy(folder) {
  const from = join(root, 'policy')
  const left = join(from, 'fixtures')
  cpSync(from, join(folder, 'policy'), {
    recursive: true,
    filter: (path) => path !== left && !path.endsWith('_test.rego'),
  })
}
