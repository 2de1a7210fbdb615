const columns = [
  ['RULE', ({ id }) => id],
  ['SEVERITY', ({ severity }) => severity],
  ['VERDICT', ({ verdict, outcome }) => (outcome === 'waived' ? 'waived' : verdict)],
  ['ADDRESS', ({ address }) => address],
  ['MESSAGE', ({ msg }) => msg],
]

const colours = { deny: 31, warn: 33, waived: 36, allowed: 32, denied: 31, unjudged: 31 }

/** What a file says of itself may move the cursor or read from right to left. */
export function plain(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}

/** The judgements as text for people. */
export function show(judgements, verdict, { hasColour, failOn }) {
  const paint = (word, text) => (hasColour ? `\u001b[${colours[word]}m${text}\u001b[0m` : text)
  const blocks = judgements.map((judgement) => block(judgement, paint).join('\n'))
  return `${blocks.join('\n\n')}\n\n${paint(verdict.word, lastLine(verdict, failOn))}\n`
}

export function nameOf({ file, document, together }) {
  if (together !== undefined) return `${together} documents of Kubernetes together`
  return plain(document === undefined ? file : `${file}, document ${document}`)
}

function block(judgement, paint) {
  const { report, problem } = judgement
  if (problem !== undefined) {
    return [nameOf(judgement), paint('unjudged', `  could not be judged: ${indented(problem)}`)]
  }
  const rows = [
    ...report.results,
    ...report.waived.map((result) => ({
      ...result,
      outcome: 'waived',
      msg: waivedMessage(result),
    })),
  ].sort(byWeight)
  const environment = report.environment === 'unknown' ? '' : `, ${plain(report.environment)}`
  return [
    `${nameOf(judgement)} (${plain(report.kind)}${environment})`,
    ...table(rows, paint),
    ...judgedLines(report),
  ]
}

/** A program's own words keep their lines. */
function indented(text) {
  return text.split('\n').map(plain).join('\n    ')
}

export function waivedMessage({ msg, waivers }) {
  const who = waivers.map(({ by, until, reason }) => `by ${by} until ${until}: ${reason}`)
  return `${msg} (waived ${who.join('; ')})`
}

const weights = ['deny', 'warn', 'waived']

function byWeight(one, other) {
  const weight = weights.indexOf(one.outcome) - weights.indexOf(other.outcome)
  return weight || one.id.localeCompare(other.id) || one.address.localeCompare(other.address)
}

function table(rows, paint) {
  if (rows.length === 0) return []
  const cells = rows.map((row) => columns.map(([, read]) => plain(read(row))))
  const all = [columns.map(([title]) => title), ...cells]
  const widths = columns.map((_column, at) => Math.max(...all.map((row) => row[at].length)))
  const lines = all.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at])).join('  ')}`)
  return lines.map((line, at) =>
    at === 0 ? line.trimEnd() : paint(rows[at - 1].outcome, line.trimEnd()),
  )
}

function judgedLines({ judged, answered }) {
  const counts = Object.entries(judged)
  const busy = counts.filter(([, count]) => count > 0)
  const sum = busy.reduce((total, [, count]) => total + count, 0)
  const listed = busy.map(([id, count]) => `${id} ${count}`).join(', ')
  return [
    `  judged: ${sum} by ${busy.length} of ${answered.length} rules${listed === '' ? '' : ` (${listed})`}`,
  ]
}

function lastLine({ word, denied, belowFailOn, unjudged, judged }, failOn) {
  const below =
    belowFailOn === 0 ? '' : `; ${belowFailOn} below --fail-on ${failOn} are not counted`
  if (word === 'allowed') return `ALLOWED: ${judged} judged, nothing stands against it${below}`
  if (word === 'denied') return `DENIED: by ${denied} of the results above${below}`
  if (unjudged === 0) return 'NOT JUDGED: no rule has found anything to judge'
  return `NOT JUDGED: ${unjudged} could not be judged, ${denied} denials besides${below}`
}
