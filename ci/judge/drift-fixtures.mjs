import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { policyFolder, queryPolicy } from './evaluate.mjs'

const folder = join(policyFolder, 'fixtures/drift')

/**
 * Plans of what was changed by hand, whose expect.json core/drift reads as well: `findings` of
 * [address, attribute, …]. The rules of terraform.drift have to find the same, no more and no less.
 */
export async function compareDrift() {
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => isPlan(join(folder, name, 'plan.json')))
    : []
  if (names.length === 0) return { count: 0, faults: [], shown: [] }
  const plans = names.map((name) => readFileSync(join(folder, name, 'plan.json'), 'utf8'))
  const query = `{at: said |
    one := input[at]
    rules := data.terraform.drift with input as one
    said := [[result.id, result.address, result.attribute] |
      name := ["deny", "unknown", "warn"][_]
      result := object.get(rules[_], name, set())[_]
    ]
  }`
  const { reports, problem } = await queryPolicy(query, `[${plans.join(',')}]`)
  if (problem !== undefined) return { count: names.length, faults: [problem], shown: [] }
  const said = names.map((_name, at) => reports[at] ?? [])
  return {
    count: names.length,
    faults: names.flatMap((name, at) => differences(name, said[at])),
    shown: said.flat().map(([id]) => id),
  }
}

/** One that is cut in half is not there for rules: `ci/policy` refuses it before they are asked. */
function isPlan(path) {
  if (!existsSync(path)) return false
  try {
    JSON.parse(readFileSync(path, 'utf8'))
    return true
  } catch {
    return false
  }
}

function differences(name, results) {
  const text = readFileSync(join(folder, name, 'expect.json'), 'utf8')
  const findings = JSON.parse(text).findings.map(([address, attribute]) => [address, attribute])
  // A rule names no attribute where it means all of the resource.
  const said = results.map(([, address, attribute]) => [address, attribute || '*'])
  const [are, ought] = [said, findings].map((rows) => rows.map((row) => row.join('  ')).sort())
  if (are.join('\n') === ought.join('\n')) return []
  return [
    `fixtures/drift/${name}: the rules find ${are.join(', ') || 'nothing'}, not ${ought.join(', ') || 'nothing'}`,
  ]
}
