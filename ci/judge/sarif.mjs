import { nameOf, plain, waivedMessage } from './show.mjs'

const schema = 'https://json.schemastore.org/sarif-2.1.0.json'

/** What code scanning sorts by. */
const scores = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.0' }
const levels = { critical: 'error', high: 'error', medium: 'warning', low: 'note' }

/** What main says itself, of no rule. */
const ownRules = [
  {
    id: 'main.defect',
    title: 'The input cannot be judged',
    description: 'It is cut off, failed or empty, of no known kind, or a rule has not answered.',
    severity: 'critical',
    remediation: 'Judge a whole input with all rules.',
  },
  {
    id: 'main.waiver',
    title: 'A waiver is to be removed',
    description: 'It covers nothing, or has ended.',
    severity: 'low',
    remediation: 'Take it out of policy/given/waivers/data.json.',
  },
]

/** SARIF 2.1.0 of the judgements; `readme` is where the index of rules can be read. */
export function toSarif(judgements, { rules, readme, exitCode }) {
  const described = [...rules, ...ownRules]
  const driver = {
    name: 'postern-policy',
    semanticVersion: '1.0.0',
    informationUri: 'https://www.openpolicyagent.org/',
    rules: described.map((rule) => descriptor(rule, readme)),
  }
  const results = judgements.flatMap((judgement) => resultsOf(judgement, described))
  const invocation = {
    executionSuccessful: exitCode !== 2,
    exitCode,
    toolExecutionNotifications: judgements.flatMap(notifications),
  }
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', invocations: [invocation], results }],
  }
}

function descriptor({ id, title, description, severity, remediation, mapsTo = [] }, readme) {
  const text = title ?? id
  return {
    id,
    name: id.replaceAll('.', '-'),
    shortDescription: { text },
    fullDescription: { text: description?.trim() ?? text },
    help: { text: remediation ?? text },
    helpUri: `${readme}#${id}`,
    defaultConfiguration: { level: levels[severity] ?? 'error' },
    properties: { tags: ['policy', ...mapsTo], 'security-severity': scores[severity] ?? '9.5' },
  }
}

function resultsOf({ file, document, report }, rules) {
  if (report === undefined) return []
  const place = { file, document, rules }
  const waived = report.waived.map((result) => ({
    ...resultOf({ ...result, outcome: 'waived', msg: waivedMessage(result) }, place),
    suppressions: result.waivers.map(({ reason }) => ({
      kind: 'external',
      status: 'accepted',
      justification: plain(reason),
    })),
  }))
  return [...report.results.map((result) => resultOf(result, place)), ...waived]
}

function resultOf({ id, msg, address, attribute, verdict, outcome }, { file, document, rules }) {
  const ruleIndex = rules.findIndex((rule) => rule.id === id)
  const name = plain(address === '' ? file : address)
  return {
    ruleId: id,
    ...(ruleIndex === -1 ? {} : { ruleIndex }),
    kind: 'fail',
    level: outcome === 'deny' ? 'error' : 'warning',
    message: { text: plain(msg) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    partialFingerprints: {
      'rule/address/attribute/v1': [id, address, attribute].map(plain).join('/'),
    },
    properties: { verdict, ...(document === undefined ? {} : { document }) },
  }
}

/** Relative to where it was run, as a URI. */
function uriOf(file) {
  return file.split('/').map(encodeURIComponent).join('/')
}

function notifications(judgement) {
  const { report, problem, file } = judgement
  const texts = problem === undefined ? report.defects : [problem]
  return texts.map((text) => ({
    level: 'error',
    message: { text: `${nameOf(judgement)}: ${text.split('\n').map(plain).join('\n')}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) } } }],
  }))
}
