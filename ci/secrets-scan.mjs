// `ci/secrets-scan`: no credential in what is staged, or in all that was ever committed.
import { root } from './dependencies.mjs'
import { complaint, findProgram, must, parseReport, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'

const help = `usage: ci/secrets-scan [--staged | --gitleaks]

  gitleaks    the whole history, by .gitleaks.toml; with --staged what the next commit would hold
  trufflehog  the history again by other rules, where it is installed; --gitleaks leaves it
              to the daily run

A history that is cut off (a shallow clone), or of no commit, judges nothing. Exit codes: 0, 1 findings,
2 not judged, 64 wrong use.
`

function readCommand() {
  const flag = { type: 'boolean', default: false }
  return readArguments({ staged: flag, gitleaks: flag })
}

async function gitleaks(args) {
  const program = await findProgram('gitleaks')
  const report = ['--redact', '--no-banner', '--no-color', '--exit-code', '0']
  const output = ['--report-format', 'json', '--report-path', '-']
  const result = await run(program, ['git', ...args, ...report, ...output, root])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  const findings = parseReport('gitleaks', result.out).map((leak) => ({
    severity: 'critical',
    text: `${leak.RuleID} in ${leak.File}:${leak.StartLine}, ${leak.Commit.slice(0, 12) || 'staged'}`,
  }))
  return { findings, commits: Number(result.err.match(/(\d+) commits scanned/)?.[1] ?? 0) }
}

/** Outside a repository, or in half of one, gitleaks finds nothing and says so in good faith. */
async function scanHistory() {
  const shallow = await must('git', ['rev-parse', '--is-shallow-repository'])
  if (shallow.toString().trim() !== 'false') {
    throw new Unjudged('this clone is shallow: fetch the whole history')
  }
  const { findings, commits } = await gitleaks([])
  if (commits === 0) throw new Unjudged('it has scanned no commit')
  return findings
}

async function trufflehog() {
  const program = await findProgram(
    'trufflehog',
    'see https://github.com/trufflesecurity/trufflehog',
  )
  const result = await run(program, ['git', `file://${root}`, '--json', '--no-update'])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  return result.out
    .toString()
    .split('\n')
    .filter((line) => line.includes('"DetectorName"'))
    .map((line) => JSON.parse(line))
    .map(({ DetectorName: name, Verified: isLive, SourceMetadata: source }) => ({
      severity: isLive ? 'critical' : 'medium',
      text: `${name} in ${source?.Data?.Git?.file}, ${source?.Data?.Git?.commit?.slice(0, 12)}`,
    }))
}

await runStep('secrets-scan', help, async ({ check }) => {
  const { staged, gitleaks: isAlone } = readCommand()
  if (staged) {
    await check('gitleaks', async () => (await gitleaks(['--staged'])).findings)
    return
  }
  await check('gitleaks', scanHistory)
  if (!isAlone) await check('trufflehog', trufflehog)
})
