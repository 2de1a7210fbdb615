import { nameOf, plain, waivedMessage } from './show.mjs'

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** JUnit: a suite for each document, in it a case for each rule that has answered. */
export function toJunit(judgements) {
  const suites = judgements.map(suiteOf)
  const sum = (key) => suites.reduce((total, suite) => total + suite[key], 0)
  const counts = `tests="${sum('tests')}" failures="${sum('failures')}" errors="${sum('errors')}"`
  const lines = suites.map(({ text }) => text)
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="policy" ${counts}>
${lines.join('\n')}
</testsuites>
`
}

function suiteOf(judgement) {
  const { report, problem } = judgement
  const name = nameOf(judgement)
  const defects = problem === undefined ? report.defects : [problem]
  const rules = report === undefined ? [] : report.answered
  const cases = [
    ...rules.map((id) => caseOf(id, name, report)),
    ...defects.map((defect) => ({
      text: element(name, 'main.defect', `<error message="${escaped(defect)}"/>`),
      isFailed: false,
    })),
  ]
  const failures = cases.filter(({ isFailed }) => isFailed).length
  const counts = `tests="${cases.length}" failures="${failures}" errors="${defects.length}"`
  const lines = cases.map(({ text }) => text)
  return {
    tests: cases.length,
    failures,
    errors: defects.length,
    text: [`  <testsuite name="${escaped(name)}" ${counts}>`, ...lines, '  </testsuite>'].join(
      '\n',
    ),
  }
}

function caseOf(id, suite, report) {
  const own = report.results.filter((result) => result.id === id)
  const denials = own.filter(({ outcome }) => outcome !== 'warn').map(line)
  const notes = [
    ...own.filter(({ outcome }) => outcome === 'warn').map(line),
    ...report.waived
      .filter((result) => result.id === id)
      .map((result) => line({ ...result, msg: waivedMessage(result) })),
  ]
  const failure =
    denials.length === 0
      ? ''
      : `<failure message="${escaped(denials[0])}">${escaped(denials.join('\n'))}</failure>`
  const said = notes.length === 0 ? '' : `<system-out>${escaped(notes.join('\n'))}</system-out>`
  return { text: element(suite, id, `${failure}${said}`), isFailed: denials.length > 0 }
}

function element(suite, name, inside) {
  return `    <testcase classname="${escaped(suite)}" name="${escaped(name)}">${inside}</testcase>`
}

function line({ address, attribute, severity, verdict, msg }) {
  return `${severity} ${verdict} ${address} ${attribute}: ${msg}`
}

/** XML 1.0 has no way to write most control characters. */
function escaped(text) {
  const lines = String(text).split('\n').map(plain).join('\n')
  return lines.replace(/[&<>"']/g, (character) => entities[character])
}
