// Opinions of programs that ci/tools cannot build: asked where the machine has them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { complaint, findProgram, parseReport, run } from '../program.mjs'
import { Unjudged } from '../report.mjs'
import { severityOfWord } from '../supply/accepted.mjs'

const deploy = join(root, 'deploy')

export async function trivyConfig() {
  const program = await findProgram('trivy', 'see https://github.com/aquasecurity/trivy')
  const quiet = ['--quiet', '--skip-check-update', '--skip-version-check', '--disable-telemetry']
  const result = await run(program, ['config', ...quiet, '--format', 'json', deploy])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  return judgeTrivy(parseReport('trivy', result.out))
}

/** An expression that it cannot read is "0 misconfigurations" and exit 0. */
export function judgeTrivy({ Results: results = [] }) {
  const counted = results.map(({ MisconfSummary: summary = {} }) => summary)
  const judged = counted.reduce(
    (sum, { Successes = 0, Failures = 0 }) => sum + Successes + Failures,
    0,
  )
  if (judged === 0) throw new Unjudged('it has judged nothing')
  return results.flatMap(({ Target: target, Misconfigurations: list = [] }) =>
    list
      .filter(({ Status: status }) => status === 'FAIL')
      .map(({ ID: id, Severity: severity, Title: title }) => ({
        severity: severityOfWord(severity),
        text: `${id} in ${target}: ${title}`,
      })),
  )
}

/** Its exit codes 20 to 60 say how bad the worst finding is. */
export async function kics(folder) {
  const program = await findProgram('kics', 'see https://github.com/Checkmarx/kics')
  const out = ['--report-formats', 'json', '--output-path', folder, '--output-name', 'kics']
  const quiet = ['--ci', '--silent', '--disable-full-descriptions', '--disable-secrets']
  const result = await run(program, ['scan', ...quiet, ...out, '--path', deploy])
  if (![0, 20, 30, 40, 50, 60].includes(result.code)) throw new Unjudged(`it ${complaint(result)}`)
  return judgeKics(parseReport('kics', readFileSync(join(folder, 'kics.json'))))
}

export function judgeKics({
  files_parsed: parsed = 0,
  files_failed_to_scan: failed = 0,
  queries = [],
}) {
  if (parsed === 0) throw new Unjudged('it has read no file')
  if (failed > 0) throw new Unjudged(`it cannot read ${failed} files`)
  return queries.flatMap(({ query_name: name, severity, files }) =>
    files.map(({ file_name: file, line }) => ({
      severity: severityOfWord(severity),
      text: `${name} in ${file}:${line}`,
    })),
  )
}

export async function regal() {
  const program = await findProgram('regal', 'see https://github.com/open-policy-agent/regal')
  const config = ['--config-file', join(root, 'policy', '.regal', 'config.yaml')]
  const result = await run(program, ['lint', ...config, '--format', 'json', join(root, 'policy')])
  return judgeRegal(parseReport('regal', result.out))
}

export function judgeRegal({ summary, violations = [] }) {
  if (!(summary?.files_scanned > 0)) throw new Unjudged('it has read no file')
  return violations.map(({ title, level, location }) => ({
    severity: level === 'error' ? 'high' : 'low',
    text: `${title} in ${location.file}:${location.row}`,
  }))
}
