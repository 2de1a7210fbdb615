/** Each comparison with what it is not, and with its neighbour at the edge. */
const comparisons = {
  equal: ['!='],
  neq: ['=='],
  lt: ['>=', '<='],
  gt: ['<=', '>='],
  lte: ['>', '<'],
  gte: ['<', '>'],
}

/** What binds a name is needed by what follows, and a policy without it does not compile. */
const binding = ['assign', 'eq']

/**
 * Every way of getting one condition of a policy wrong, from its text and its syntax tree (`opa parse
 * --format json --json-include locations`): turned round, moved by one, left out.
 */
export function mutantsOf(text, tree) {
  const source = Buffer.from(text)
  const starts = lineStarts(source)
  const found = new Map()
  const offsetOf = ({ row, col }) => starts[row - 1] + col - 1
  for (const { terms, negated, location } of conditions(tree)) {
    const at = offsetOf(location)
    const written = Buffer.from(location.text, 'base64')
    // The tree has conditions that nobody wrote, such as the body of a plain value.
    if (!source.subarray(at, at + written.length).equals(written)) continue
    const place = { source, at, end: at + written.length, row: location.row }
    const own = [
      ...turned({ terms, negated, place, offsetOf }),
      change(place, at, place.end, 'true'),
    ]
    for (const mutant of own) found.set(mutant.text, mutant)
  }
  found.delete(text)
  return [...found.values()]
}

function lineStarts(source) {
  const starts = [0]
  for (const [at, byte] of source.entries()) if (byte === 0x0a) starts.push(at + 1)
  return starts
}

function conditions(node) {
  if (node === null || typeof node !== 'object') return []
  const inside = Object.values(node).flatMap(conditions)
  return isCondition(node) ? [node, ...inside] : inside
}

function isCondition({ terms, location }) {
  if (terms === undefined || location?.text === undefined) return false
  if (Array.isArray(terms)) return !binding.includes(operatorOf(terms))
  if (terms.symbols !== undefined) return false
  return terms.type !== 'boolean'
}

function operatorOf(terms) {
  return Array.isArray(terms) ? terms[0].value.map(({ value }) => value).join('.') : undefined
}

function turned({ terms, negated, place, offsetOf }) {
  const { at } = place
  if (negated) return [change(place, at, at + 'not '.length, '')]
  const others = comparisons[operatorOf(terms)]
  if (others !== undefined) {
    const start = offsetOf(terms[0].location)
    const length = Buffer.from(terms[0].location.text, 'base64').length
    return others.map((other) => change(place, start, start + length, other))
  }
  // Nothing can stand before `every`.
  return terms.domain === undefined ? [change(place, at, at, 'not ')] : []
}

function change({ source, at, end, row }, start, stop, replacement) {
  const whole = (from, to, middle) =>
    Buffer.concat([source.subarray(from, start), Buffer.from(middle), source.subarray(stop, to)])
  const oneLine = (bytes) => bytes.toString().replace(/\s+/g, ' ')
  return {
    row,
    was: oneLine(source.subarray(at, end)),
    is: oneLine(whole(at, end, replacement)),
    text: whole(0, source.length, replacement).toString(),
  }
}
