// `ci/policy`: judges plans and manifests by the rules of policy/.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { policyFolder } from './judge/evaluate.mjs'
import { exitCodes, judge, verdictOf } from './judge/judge.mjs'
import { toJunit } from './judge/junit.mjs'
import { readRules, severities } from './judge/rules.mjs'
import { toSarif } from './judge/sarif.mjs'
import { show } from './judge/show.mjs'
import { ToolMissing } from './tools.mjs'

const wrongUse = 64

const help = `usage: ci/policy FILE … [option …]

Judges each file by the rules of policy/ that belong to its kind. FILE is the JSON of a plan
(terraform show -json; - reads one from stdin), an SBOM, a Kubernetes manifest, a compose file, a
workflow, a Dockerfile, or HCL with a backend. Each document of a YAML file is judged by itself, and
those of Kubernetes of all files together as well, as one deployment.

  --environment NAME  what it is for; a plan that says otherwise is not judged
  --signed DIGEST     an image that ci/verify has admitted, again for each; without any it is
                      not known whether images are signed
  --apart             manifests that are no whole deployment: not together
  --fail-on SEVERITY  deny only from critical, high, medium or low (default) on
  --json              the reports as JSON, in place of the table
  --sarif FILE        SARIF 2.1.0 besides
  --junit FILE        JUnit XML besides
  --policy FOLDER     other rules than those of policy/
  --no-colour         no colours on a terminal either
  --help

Exit codes: 0 allowed; 1 denied; 2 could not be judged, whatever else was found: a file is missing,
empty, cut off or of no kind that has rules, a policy does not compile or has no answer, a rule is
missing, a waiver is not valid; 64 wrong use.
`

const options = {
  environment: { type: 'string' },
  signed: { type: 'string', multiple: true, default: [] },
  apart: { type: 'boolean', default: false },
  'fail-on': { type: 'string', default: 'low' },
  json: { type: 'boolean', default: false },
  sarif: { type: 'string' },
  junit: { type: 'string' },
  policy: { type: 'string', default: policyFolder },
  'no-colour': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

/** The command line, or undefined for one that cannot be meant. */
function readArguments(args) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (values.help) return { values, paths: [] }
    const isKnown = severities.includes(values['fail-on'])
    const stdins = positionals.filter((path) => path === '-')
    const isDigest = (text) => /^sha256:[0-9a-f]{64}$/.test(text)
    if (positionals.length === 0 || !isKnown || stdins.length > 1) return undefined
    if (!values.signed.every(isDigest)) return undefined
    return { values, paths: positionals }
  } catch {
    return undefined
  }
}

async function main(args) {
  const given = readArguments(args)
  if (given === undefined) {
    process.stderr.write(help)
    return wrongUse
  }
  if (given.values.help) {
    process.stdout.write(help)
    return 0
  }
  try {
    return await judgeAndTell(given)
  } catch (error) {
    // What was not judged is not allowed, whatever the reason.
    process.stderr.write(
      `ci/policy: ${error instanceof ToolMissing ? error.message : error.stack}\n`,
    )
    return exitCodes.unjudged
  }
}

async function judgeAndTell({ values, paths }) {
  const failOn = values['fail-on']
  const { policy, environment, signed, apart } = values
  const judgements = await judge(paths, { policy, environment, signed, apart })
  const verdict = verdictOf(judgements, failOn)
  if (values.json) {
    const { word, exitCode } = verdict
    process.stdout.write(
      `${JSON.stringify({ verdict: word, exitCode, files: judgements }, null, 2)}\n`,
    )
  } else {
    const hasColour = process.stdout.isTTY === true && !values['no-colour'] && !process.env.NO_COLOR
    process.stdout.write(show(judgements, verdict, { hasColour, failOn }))
  }
  if (values.junit !== undefined) await writeFile(values.junit, toJunit(judgements))
  if (values.sarif !== undefined) {
    const { rules } = await readRules(policy)
    const sarif = toSarif(judgements, {
      rules,
      readme: readmeAddress(),
      exitCode: verdict.exitCode,
    })
    await writeFile(values.sarif, `${JSON.stringify(sarif, null, 2)}\n`)
  }
  return verdict.exitCode
}

/** On GitHub an address that code scanning can link to. */
function readmeAddress() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_SHA: sha } = process.env
  const path = 'policy/README.md'
  return server && repository && sha ? `${server}/${repository}/blob/${sha}/${path}` : path
}

process.exitCode = await main(process.argv.slice(2))
