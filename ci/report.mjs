// What every step of the supply chain tells, and how it ends: findings on stderr, one JSON line on
// stdout, a Prometheus textfile in dist/ci/ (or POSTERN_CI_METRICS), and an exit code:
//
// 0  nothing was found
// 1  something was found, and everything could be judged
// 2  something could not be judged: a tool, a database or a service is missing. On a laptop that
//    check is skipped loudly and does not count; with CI_STRICT=1, or CI=true, it does.
// 64 wrong use
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { ToolMissing } from './tools.mjs'

export const exitCodes = { ok: 0, findings: 1, unjudged: 2, wrongUse: 64 }

/** What is declared here is what alerts and dashboards may name. */
export const metrics = {
  postern_ci_step_ok: 'Whether a step judged everything and found nothing',
  postern_ci_step_finished_timestamp_seconds: 'When a step ended',
  postern_ci_findings: 'What a tool found, by severity',
  postern_policy_violations: 'What a rule of policy/ denies or cannot know',
  postern_tagged_ratio: 'Taggable resources of a plan that carry every tag, of all of them',
}

/** From here on a finding fails its step; what lies below is counted and shown. */
const gating = ['critical', 'high']
export const severities = ['critical', 'high', 'medium', 'low']

/** A check that has no answer; the message says what to do. */
export class Unjudged extends Error {}
/** A command line that cannot be meant. */
export class WrongUse extends Error {}

export function isStrict(env = process.env) {
  return env.CI_STRICT === '1' || (env.CI === 'true' && env.CI_STRICT !== '0')
}

export function say(line) {
  process.stderr.write(`postern: ${line}\n`)
}

/**
 * The whole of a step. `work` is given `check(tool, judge)`: `judge` returns its findings, each
 * `{ severity, text }`, or throws Unjudged; `note(name, value)` puts a fact into the JSON line, and
 * `gauge(metric, labels, value)` a sample into the textfile. What acts, and not only looks, is always
 * strict.
 */
export async function runStep(step, help, work, { strict = isStrict() } = {}) {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(help)
    return
  }
  const startedAt = Date.now()
  const record = { checks: [], notes: {}, samples: [] }
  try {
    await work({
      check: (tool, judge) => runCheck(record.checks, tool, judge),
      note: (name, value) => Object.assign(record.notes, { [name]: value }),
      gauge: (metric, labels, value) => record.samples.push({ metric, labels, value }),
    })
  } catch (error) {
    if (error instanceof WrongUse) {
      process.stderr.write(`${error.message}\n\n${help}`)
      process.exitCode = exitCodes.wrongUse
      return
    }
    record.checks.push(unjudged(step, error))
  }
  process.exitCode = conclude(step, { ...record, strict, seconds: (Date.now() - startedAt) / 1000 })
}

async function runCheck(checks, tool, judge) {
  try {
    const findings = (await judge()) ?? []
    for (const { severity, text } of findings) say(`${tool}: ${severity}: ${text}`)
    checks.push({ tool, verdict: hasGating(findings) ? 'findings' : 'passed', findings })
  } catch (error) {
    if (error instanceof WrongUse) throw error
    checks.push(unjudged(tool, error))
  }
  return checks.at(-1).verdict === 'passed'
}

function hasGating(findings) {
  return findings.some(
    ({ severity }) => !severities.includes(severity) || gating.includes(severity),
  )
}

/** A bug in a step is no pass either, on a laptop as little as elsewhere. */
function unjudged(tool, error) {
  const isExpected = error instanceof Unjudged || error instanceof ToolMissing
  const why = isExpected ? error.message : error.stack
  return { tool, verdict: isExpected ? 'unjudged' : 'broken', findings: [], why }
}

/** The exit code of a step by what its checks said. */
export function exitCodeOf(checks, strict) {
  const has = (verdict) => checks.some((check) => check.verdict === verdict)
  if (checks.length === 0 || has('broken')) return exitCodes.unjudged
  if (strict && has('unjudged')) return exitCodes.unjudged
  return has('findings') ? exitCodes.findings : exitCodes.ok
}

function conclude(step, { checks, notes, samples, strict, seconds }) {
  const exitCode = exitCodeOf(checks, strict)
  for (const { tool, verdict, why } of checks) {
    if (verdict === 'broken' || verdict === 'unjudged') tellUnjudged(tool, why, strict)
  }
  const told = checks.map(({ tool, verdict, findings, why }) => ({
    tool,
    verdict,
    findings: countBySeverity(findings),
    ...(why === undefined ? {} : { why: why.split('\n')[0] }),
  }))
  const isOk = checks.length > 0 && checks.every(({ verdict }) => verdict === 'passed')
  writeTextfile(step, [
    { metric: 'postern_ci_step_ok', labels: { step }, value: isOk ? 1 : 0 },
    {
      metric: 'postern_ci_step_finished_timestamp_seconds',
      labels: { step },
      value: Math.floor(Date.now() / 1000),
    },
    ...told.flatMap(({ tool, verdict, findings }) =>
      verdict === 'unjudged' || verdict === 'broken'
        ? []
        : Object.entries(findings).map(([severity, value]) => ({
            metric: 'postern_ci_findings',
            labels: { tool, severity },
            value,
          })),
    ),
    ...samples,
  ])
  const line = { step, ok: isOk, exitCode, strict, seconds, checks: told, ...notes }
  process.stdout.write(`${JSON.stringify(line)}\n`)
  return exitCode
}

function tellUnjudged(tool, why, strict) {
  const word = strict ? 'NOT JUDGED, and that fails here' : 'SKIPPED, NOT JUDGED'
  process.stderr.write(`\n*** ${tool}: ${word}\n*** ${why.replaceAll('\n', '\n*** ')}\n\n`)
}

/** Zeroes are told: a series that vanishes looks like one that never was. */
function countBySeverity(findings) {
  const known = [...severities, 'unknown']
  const of = ({ severity }) => (known.includes(severity) ? severity : 'unknown')
  return Object.fromEntries(
    known.map((name) => [name, findings.filter((finding) => of(finding) === name).length]),
  )
}

/** Written whole and renamed, for the collector reads whenever it likes. */
function writeTextfile(step, samples) {
  const folder = process.env.POSTERN_CI_METRICS || join(root, 'dist', 'ci')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `postern-${step}.prom`)
  writeFileSync(`${path}.new`, toTextfile(samples))
  renameSync(`${path}.new`, path)
}

/** Samples of one metric stand together, as the format wants it. */
export function toTextfile(samples) {
  const names = [...new Set(samples.map(({ metric }) => metric))]
  return names
    .map((name) => {
      if (!Object.hasOwn(metrics, name)) throw new Error(`${name} is not declared`)
      const lines = samples
        .filter(({ metric }) => metric === name)
        .map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}\n`)
      return `# HELP ${name} ${metrics[name]}.\n# TYPE ${name} gauge\n${lines.join('')}`
    })
    .join('')
}

function labelsOf(labels) {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
