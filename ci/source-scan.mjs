// `ci/source-scan`: our own rules over our own source, and others' where they can be had.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import {
  complaint,
  findProgram,
  must,
  onPath,
  parseReport,
  readArguments,
  run,
} from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { severityOfScore } from './supply/accepted.mjs'

const help = `usage: ci/source-scan [--registry] [--codeql]

  semgrep-test  each rule of ci/semgrep finds its bad lines, and leaves its good ones alone
  semgrep       no finding of these rules in what Git tracks
  --registry    semgrep's rules for TypeScript, JavaScript and secrets besides, asked of semgrep.dev.
                They change under us: weekly
  --codeql      CodeQL's security suite, where its command is installed: weekly

Exit codes: 0, 1 findings, 2 not judged, 64 wrong use.
`

const rules = join(root, 'ci', 'semgrep')
const offline = ['--metrics=off', '--disable-version-check']

function readCommand() {
  const flag = { type: 'boolean', default: false }
  return readArguments({ registry: flag, codeql: flag })
}

/** The lines lie in a file that no compiler reads, and get their name back for the test. */
async function testRules() {
  const semgrep = await findProgram('semgrep')
  const folder = mkdtempSync(join(tmpdir(), 'postern-semgrep-'))
  try {
    for (const name of readdirSync(rules)) {
      cpSync(join(rules, name), join(folder, name.replace('.ts.txt', '.ts')))
    }
    const result = await run(semgrep, ['scan', '--test', '--json', ...offline, folder])
    const { results = {} } = parseReport('semgrep --test', result.out)
    const checks = Object.values(results).flatMap((file) => Object.entries(file.checks ?? {}))
    return [
      ...ruleIds()
        .filter((id) => !checks.some(([name]) => name.split('.').at(-1) === id))
        .map((id) => ({ severity: 'high', text: `${id} has no test` })),
      ...checks
        .filter(([, { passed }]) => !passed)
        .map(([id, { matches }]) => ({
          severity: 'high',
          text: `${id}: ${JSON.stringify(matches)}`,
        })),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function ruleIds() {
  const text = readFileSync(join(rules, 'postern.yaml'), 'utf8')
  return [...text.matchAll(/^ {2}- id: (\S+)$/gm)].map(([, id]) => id)
}

async function scan(config) {
  const semgrep = await findProgram('semgrep')
  const result = await run(semgrep, ['scan', ...config, '--json', ...offline, '--quiet', '.'])
  if (result.code !== 0 && result.code !== 1) throw new Unjudged(`it ${complaint(result)}`)
  const { results, errors, paths } = parseReport('semgrep', result.out)
  if (paths.scanned.length === 0) throw new Unjudged('it has read no file')
  const failed = errors.filter(({ level }) => level === 'error')
  if (failed.length > 0) throw new Unjudged(`${failed.length} errors: ${failed[0].message}`)
  const bySeverity = { ERROR: 'high', WARNING: 'medium', CRITICAL: 'critical', HIGH: 'high' }
  return results.map(({ check_id: id, path, start, extra }) => ({
    severity: bySeverity[extra.severity] ?? 'low',
    text: `${id.split('.').at(-1)} in ${path}:${start.line}`,
  }))
}

/** GitHub's runners have it beside the path, in a folder of its version. */
function findCodeql() {
  const cache = '/opt/hostedtoolcache/CodeQL'
  const versions = existsSync(cache) ? readdirSync(cache).sort() : []
  const cached = versions.map((version) => join(cache, version, 'x64', 'codeql', 'codeql'))
  const found = onPath('codeql') ?? cached.filter((path) => existsSync(path)).at(-1)
  if (found === undefined) {
    throw new Unjudged('codeql is not installed: https://github.com/github/codeql-cli-binaries')
  }
  return found
}

async function codeql() {
  const program = findCodeql()
  const folder = mkdtempSync(join(tmpdir(), 'postern-codeql-'))
  try {
    const [database, sarif] = [join(folder, 'database'), join(folder, 'found.sarif')]
    const config = join(folder, 'config.yaml')
    writeFileSync(config, 'paths-ignore: [node_modules, dist, .tools, test]\n')
    const create = ['database', 'create', database, '--language=javascript', '--build-mode=none']
    await must(program, [...create, `--source-root=${root}`, `--codescanning-config=${config}`])
    const suite = 'codeql/javascript-queries:codeql-suites/javascript-security-extended.qls'
    const analyze = ['database', 'analyze', database, suite, '--format=sarif-latest']
    await must(program, [...analyze, `--output=${sarif}`], { minutesMax: 40 })
    return JSON.parse(readFileSync(sarif, 'utf8')).runs.flatMap(fromSarif)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function fromSarif({ results, tool }) {
  const known = [tool.driver, ...(tool.extensions ?? [])].flatMap((part) => part.rules ?? [])
  const scores = new Map(known.map(({ id, properties }) => [id, properties?.['security-severity']]))
  return results.map(({ ruleId, message, locations }) => {
    const at = locations[0]?.physicalLocation
    return {
      severity: severityOfScore(scores.get(ruleId)),
      text: `${ruleId} in ${at?.artifactLocation.uri}:${at?.region?.startLine}: ${message.text}`,
    }
  })
}

await runStep('source-scan', help, async ({ check }) => {
  const asked = readCommand()
  await check('semgrep-test', testRules)
  await check('semgrep', () => scan(['--config', rules]))
  if (asked.registry) {
    const packs = ['p/typescript', 'p/javascript', 'p/secrets'].flatMap((name) => [
      '--config',
      name,
    ])
    await check('semgrep-registry', () => scan(packs))
  }
  if (asked.codeql) await check('codeql', codeql)
})
