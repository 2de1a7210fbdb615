import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { compareDrift } from './drift-fixtures.mjs'
import { policyFolder, queryPolicy } from './evaluate.mjs'
import { readInput } from './read-input.mjs'
import { kinds } from './rules.mjs'

const fixtures = join(policyFolder, 'fixtures')

/** Refuses what only a cloud can show, where somebody has changed it by hand: test/fault/drift.ts. */
const shownByTests = new Set(['terraform.drift.noise'])

/** Terraform's are plans; those of every other kind lie in a folder of its name. */
const folders = ['plans', ...kinds.filter((kind) => kind !== 'terraform')]

/** Every case of every rule: policy/fixtures/FOLDER/RULE ID/CASE. */
function cases() {
  return folders
    .flatMap((folder) => below(join(fixtures, folder)))
    .flatMap((rule) => below(rule))
    .map((path) => {
      const [, id, name] = relative(fixtures, path).split('/')
      return { id, name, path }
    })
}

function below(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort()
}

/**
 * Compares what each rule says of its own fixtures with their expect.json, [rule id, verdict,
 * address] of each result. A rule that no fixture shows refusing something is a fault as well.
 */
export async function compareFixtures(ids) {
  const read = []
  for (const one of cases()) read.push(await readCase(one, ids))
  const faults = read.flatMap(({ fault }) => (fault === undefined ? [] : [fault]))
  const whole = read.filter(({ fault }) => fault === undefined)
  const said = await ask(whole)
  if (said.problem !== undefined) return { count: read.length, faults: [said.problem], quiet: [] }
  const compared = whole.map((one, at) => ({ ...one, ...said[at] }))
  const drift = await compareDrift()
  const shown = new Set([...drift.shown, ...compared.filter(isRefusal).map(({ id }) => id)])
  const unshown = ids.filter((id) => !shown.has(id) && !shownByTests.has(id))
  return {
    count: read.length + drift.count,
    faults: [
      ...faults,
      ...compared.flatMap(differences),
      ...drift.faults,
      ...unshown.map((id) => `${id}: no fixture shows it refusing anything`),
    ],
    quiet: compared.filter(({ judged }) => judged === 0).map(labelOf),
  }
}

/** A failure, or whatever a rule without failures says of what is called bad. */
function isRefusal({ name, expected }) {
  const isBad = name.startsWith('bad') && expected.length > 0
  return isBad || expected.some(([, verdict]) => verdict === 'fail')
}

function labelOf({ path }) {
  return relative(policyFolder, path)
}

async function readCase({ id, name, path }, ids) {
  const label = labelOf({ path })
  if (!ids.includes(id)) return { fault: `${label}: there is no rule ${id}` }
  const isPlan = id.startsWith('terraform.')
  const files = readdirSync(path).filter((file) => file !== 'expect.json')
  const inputs = isPlan ? ['plan.json'] : files
  if (inputs.length === 0) return { fault: `${label}: holds no input` }
  const expectation = readExpectation(path)
  if (expectation === undefined) {
    return {
      fault: `${label}: expect.json is not there, or is no list of [rule id, verdict, address]`,
    }
  }
  const documents = []
  for (const file of inputs) {
    const read = await readInput(join(path, file))
    if (read.problem !== undefined) return { fault: `${label}/${file}: ${read.problem}` }
    documents.push(...read.documents)
  }
  const { results: expected, environment } = expectation
  return { id, name, path, expected, documents: asJudged({ id, documents, environment }) }
}

/** Those of a cluster are judged together, and a plan as one for the environment that is named. */
function asJudged({ id, documents, environment }) {
  if (id.startsWith('cluster.')) return [`[${documents.join(',')}]`]
  const isOther = id.startsWith('terraform.') && environment !== undefined
  return isOther ? documents.map(asFor(environment)) : documents
}

/** A plan as it would be for another environment: most of it is the same. */
function asFor(environment) {
  return (text) => {
    const plan = JSON.parse(text)
    return JSON.stringify({
      ...plan,
      variables: { ...plan.variables, environment: { value: environment } },
    })
  }
}

/** A list of results, or `{ environment, results }`. */
function readExpectation(path) {
  try {
    const said = JSON.parse(readFileSync(join(path, 'expect.json'), 'utf8'))
    const { environment, results, ...rest } = Array.isArray(said) ? { results: said } : said
    const isRow = (row) =>
      Array.isArray(row) && row.length === 3 && row.every((word) => typeof word === 'string')
    const isKnown = environment === undefined || typeof environment === 'string'
    const isWhole = isKnown && results.every(isRow) && Object.keys(rest).length === 0
    return isWhole ? { environment, results } : undefined
  } catch {
    return undefined
  }
}

/** All fixtures in one process; each rule is asked for its own results, before any waiver. */
async function ask(whole) {
  const asked = whole.map(
    ({ id, documents }) =>
      `{"path":${JSON.stringify(id.split('.'))},"documents":[${documents.join(',')}]}`,
  )
  const query = `{at: said |
    one := input[at]
    said := [answer |
      document := one.documents[_]
      rule := data[one.path[0]][one.path[1]][one.path[2]] with input as document
      answer := {
        "judged": count(rule.judged),
        "results": [[result.id, result.verdict, result.address] |
          name := ["deny", "unknown", "warn"][_]
          result := object.get(rule, name, set())[_]
        ]
      }
    ]
  }`
  const { reports, problem } = await queryPolicy(query, `[${asked.join(',')}]`)
  if (problem !== undefined) return { problem }
  return whole.map(({ documents }, at) => {
    const answers = reports[at] ?? []
    return {
      isWhole: answers.length === documents.length,
      judged: answers.reduce((sum, { judged }) => sum + judged, 0),
      said: answers.flatMap(({ results }) => results),
    }
  })
}

function differences(one) {
  const { isWhole, said, expected } = one
  if (!isWhole) return [`${labelOf(one)}: the rule has no answer`]
  const [are, ought] = [said, expected].map((rows) => rows.map((row) => row.join('  ')).sort())
  const more = are.filter((row) => !ought.includes(row)).map((row) => `    says    ${row}`)
  const less = ought.filter((row) => !are.includes(row)).map((row) => `    lacks   ${row}`)
  if (more.length + less.length === 0) return []
  return [`${labelOf(one)}:\n${[...more, ...less].join('\n')}`]
}
