// `ci/policy-index`: the manifest of the rules and the list in policy/README.md, from the
// annotations of the rules.
import { writeFileSync } from 'node:fs'
import { differing, listRules } from './judge/list-rules.mjs'
import { ToolMissing } from './tools.mjs'

const help = `usage: ci/policy-index [--check | --help]

Writes policy/given/rules/data.json and the list of rules in policy/README.md from the annotations.
--check writes nothing and fails when either differs.

Exit codes: 0 done, or nothing differs; 1 a file differs, or a rule lacks an annotation; 64 wrong use.
`

function main([option, ...rest]) {
  if (option === '--help' || option === '-h') {
    process.stdout.write(help)
    return 0
  }
  if (rest.length > 0 || (option !== undefined && option !== '--check')) {
    process.stderr.write(help)
    return 64
  }
  return list(option === '--check')
}

async function list(isCheck) {
  const { rules, faults, files } = await listRules()
  for (const fault of faults) process.stderr.write(`ci/policy-index: ${fault}\n`)
  if (faults.length > 0) return 1
  const changed = differing(files)
  if (!isCheck) for (const { path, text } of files) writeFileSync(path, text)
  const what = isCheck ? 'not as ci/policy-index makes it' : 'written'
  for (const name of changed) process.stdout.write(`${name}: ${what}\n`)
  process.stdout.write(`${rules.length} rules\n`)
  return isCheck && changed.length > 0 ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof ToolMissing)) throw error
  process.stderr.write(`ci/policy-index: ${error.message}\n`)
  process.exitCode = 1
}
