import { ensureTool } from '../tools.mjs'
import { policyFolder } from './evaluate.mjs'
import { run } from './run.mjs'

/** From the worst. */
export const severities = ['critical', 'high', 'medium', 'low']

/** The kinds of input, each with rules in a folder of its own. */
export const kinds = [
  'terraform',
  'kubernetes',
  'cluster',
  'compose',
  'workflow',
  'docker',
  'backend',
  'sbom',
]

/** Packages that are no rules. */
const others = ['lib', 'main', 'given']

/**
 * Every rule by its id, with what its annotations say, and what is wrong with them: a rule whose
 * package has no title or severity says nothing at all, and one at another depth is never asked.
 */
export async function readRules(policy = policyFolder) {
  const opa = await ensureTool('opa')
  const { code, stdout, stderr } = await run(opa, ['inspect', '-a', '-f', 'json', policy])
  if (code !== 0) return { rules: [], faults: [`opa inspect: ${stderr.trim() || stdout.trim()}`] }
  const { namespaces, annotations = [] } = JSON.parse(stdout)
  const ids = Object.keys(namespaces)
    .map((name) => name.replace(/^data\./, ''))
    .filter((id) => !id.endsWith('_test') && !others.includes(id.split('.')[0]))
    .sort()
  const rules = ids.map((id) => ruleOf(id, annotations, namespaces[`data.${id}`]))
  return { rules, faults: rules.flatMap(faultsOf) }
}

function ruleOf(id, annotations, files) {
  const about = annotations.find(
    (entry) => entry.annotations.scope === 'package' && idOf(entry.path) === id,
  )
  const {
    title,
    description,
    custom = {},
    related_resources: links = [],
  } = about?.annotations ?? {}
  const { severity, remediation, maps_to: mapsTo } = custom
  const link = links.map(({ ref }) => ref)
  return { id, title, description, severity, remediation, mapsTo, links: link, files }
}

function idOf(path) {
  return path
    .slice(1)
    .map(({ value }) => value)
    .join('.')
}

function faultsOf({ id, title, description, severity, remediation, mapsTo, files }) {
  const [kind, ...rest] = id.split('.')
  const isText = (value) => typeof value === 'string' && value.trim() !== ''
  const folder = `${id.replaceAll('.', '/')}/`
  return [
    [kinds.includes(kind), `belongs to no kind of input (${kinds.join(', ')})`],
    [rest.length === 2, 'is not called KIND.AREA.NAME, so nothing asks it'],
    [isText(title), 'has no title'],
    [isText(description), 'has no description'],
    [severities.includes(severity), `has no severity of ${severities.join(', ')}`],
    [isText(remediation), 'has no remediation'],
    [Array.isArray(mapsTo) && mapsTo.every(isText), 'has no maps_to, be it empty'],
    [files.every((file) => file.includes(folder)), `does not stand in ${folder}`],
  ].flatMap(([isGood, fault]) => (isGood ? [] : [`${id} ${fault}`]))
}
