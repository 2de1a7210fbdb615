// `ci/workflows-scan`: the workflows themselves.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, findProgram, parseReport, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { severityOfWord } from './supply/accepted.mjs'

const help = `usage: ci/workflows-scan

  actionlint  syntax, types and shell of .github/workflows
  zizmor      --persona=pedantic --offline, every finding

All of them fail, whatever their severity. Exit codes: 0, 1 findings, 2 not judged, 64 wrong use.
`

const folder = join(root, '.github', 'workflows')

async function actionlint() {
  const program = await findProgram('actionlint')
  const files = readdirSync(folder).map((name) => join(folder, name))
  if (files.length === 0) throw new Unjudged('there is no workflow')
  const result = await run(program, ['-format', '{{json .}}', ...files])
  if (result.code > 1) throw new Unjudged(`it ${complaint(result)}`)
  return parseReport('actionlint', result.out).map(({ filepath, line, message }) => ({
    severity: 'high',
    text: `${filepath}:${line}: ${message}`,
  }))
}

async function zizmor() {
  const program = await findProgram('zizmor')
  const args = ['--persona=pedantic', '--offline', '--no-progress', '--format', 'json', folder]
  const result = await run(program, args)
  const findings = parseReport('zizmor', result.out)
  return findings.map(({ ident, desc, determinations, locations }) => {
    const { severity } = determinations
    const [at] = locations
    const where = `${at.symbolic.key.Local?.given_path}:${at.concrete.location.start_point.row + 1}`
    return {
      // What pedantry calls low is still one word to change.
      severity: severityOfWord(severity) === 'critical' ? 'critical' : 'high',
      text: `${ident} (${severity}) in ${where}: ${desc}`,
    }
  })
}

await runStep('workflows-scan', help, async ({ check }) => {
  await check('actionlint', actionlint)
  await check('zizmor', zizmor)
})
