// What somebody has looked at and let pass, as data: licences, packages that would run code at
// install, and vulnerabilities, each of these with its reason and its last day.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Unjudged } from '../report.mjs'

const path = join(import.meta.dirname, 'accepted.json')

export function readAccepted(text = readFileSync(path, 'utf8')) {
  const accepted = JSON.parse(text)
  for (const { id, package: name, reason, until } of accepted.vulnerabilities) {
    if (!(id && name && reason && /^\d{4}-\d\d-\d\d$/.test(until ?? ''))) {
      throw new Unjudged(`${path}: a vulnerability has id, package, reason and until`)
    }
  }
  return accepted
}

/**
 * Findings of a scanner, `{ id, aliases, package, version, severity }`, less what is accepted. One
 * whose severity nobody has said counts as high: it is news, not noise.
 */
export function judgeVulnerabilities(found, accepted, today) {
  const isAccepted = ({ id, aliases = [], package: name }) =>
    accepted.some(
      (entry) =>
        [id, ...aliases].includes(entry.id) && entry.package === name && entry.until >= today,
    )
  return found
    .filter((vulnerability) => !isAccepted(vulnerability))
    .map(({ id, package: name, version, severity }) => ({
      severity: severity === 'unknown' ? 'high' : severity,
      text: `${id} in ${name}@${version}${severity === 'unknown' ? ', of unknown severity' : ''}`,
    }))
}

export function today() {
  return new Date().toISOString().slice(0, 10)
}

/** By the score of CVSS, as its specification names the bands; '' is no score. */
export function severityOfScore(score) {
  if (score === undefined || score === '' || Number.isNaN(Number(score))) return 'unknown'
  if (Number(score) >= 9) return 'critical'
  if (Number(score) >= 7) return 'high'
  return Number(score) >= 4 ? 'medium' : 'low'
}

export function severityOfWord(word = '') {
  const known = { critical: 'critical', high: 'high', medium: 'medium', moderate: 'medium' }
  return { ...known, low: 'low', negligible: 'low' }[word.toLowerCase()] ?? 'unknown'
}
