import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from '../dependencies.mjs'
import { policyFolder } from './evaluate.mjs'
import { kinds, readRules } from './rules.mjs'

const manifest = join(policyFolder, 'given/rules/data.json')
const readme = join(policyFolder, 'README.md')
const columnsMax = 100

const start = '<!-- The rules: made by ci/policy-index from their annotations. -->'
const end = '<!-- The end of the rules. -->'

/** The files that are made, with what is to stand in them, and what is wrong with the rules. */
export async function listRules() {
  const { rules, faults } = await readRules()
  if (rules.length === 0) faults.push('there is no rule at all')
  return {
    rules,
    faults,
    files: [
      { path: manifest, text: manifestOf(rules) },
      { path: readme, text: readmeOf(rules) },
    ],
  }
}

/** Names of the files that are not as they would be made. */
export function differing(files) {
  return files
    .filter(({ path, text }) => read(path) !== text)
    .map(({ path }) => relative(root, path))
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function byKind(rules) {
  return kinds
    .map((kind) => ({ kind, own: rules.filter(({ id }) => id.startsWith(`${kind}.`)) }))
    .filter(({ own }) => own.length > 0)
}

/** As Biome formats it: what fits stands in one line. */
function manifestOf(rules) {
  const lists = byKind(rules).map(({ kind, own }, at, all) => {
    const ids = own.map(({ id }) => JSON.stringify(id))
    const line = `  "${kind}": [${ids.join(', ')}]`
    const isShort = line.length + (at === all.length - 1 ? 0 : 1) <= columnsMax
    return isShort ? line : `  "${kind}": [\n    ${ids.join(',\n    ')}\n  ]`
  })
  return `{\n${lists.join(',\n')}\n}\n`
}

function readmeOf(rules) {
  const text = read(readme)
  const [before, after] = [text.split(start)[0], text.split(end)[1]]
  if (!text.includes(start) || after === undefined) return `${start}\n${end}\n`
  const sections = byKind(rules).map(section)
  return `${before}${start}\n\n${rules.length} rules.\n\n${sections.join('\n')}\n${end}${after}`
}

function section({ kind, own }) {
  const rows = own.map(
    ({ id, severity, title, remediation, mapsTo = [] }) =>
      `| <a id="${id}"></a>\`${id}\` | ${severity} | ${cell(title)} | ${cell(remediation)} | ${mapsTo.map(cell).join(', ')} |`,
  )
  return `### ${kind}\n\n| Rule | Severity | What holds | Remedy | Elsewhere |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function cell(text) {
  return String(text ?? '')
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[|<]/g, (character) => (character === '|' ? '\\|' : '&lt;'))
}
