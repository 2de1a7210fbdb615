// `ci/policy-test`: whether the policies are what they say they are.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { root } from './dependencies.mjs'
import { policyFolder } from './judge/evaluate.mjs'
import { compareFixtures } from './judge/fixtures.mjs'
import { differing, listRules } from './judge/list-rules.mjs'
import { run } from './judge/run.mjs'
import { ensureTool, findTool, ToolMissing } from './tools.mjs'

const policy = relative(root, policyFolder)

/** A verdict may depend on the input, the data and the clock, and on nothing else. */
const outward = ['http.send', 'net.lookup_ip_addr', 'opa.runtime', 'rego.parse_module', 'trace']

/** opa gives a test five seconds, and a busy machine takes them. */
const testFlags = ['--fail-on-empty', '--format', 'json', '--timeout', '60s']

/** Where a tool cannot be had: the gate says so at its end, and fails only where CI_STRICT=1. */
const skippedCode = 69

const help = `usage: ci/policy-test [--quick | --help]

Formatting, strict compilation without built-ins that reach out, the tests, coverage of 100 % of every
line that is no test, the index of rules, what each rule says of its fixtures, a refusing fixture for
each rule, and regal where it is installed. Installs the pinned opa and conftest unless they are there.
--quick: only formatting, compilation and the tests of what git finds changed, and nothing at all,
with exit code 69, where opa is not there.

Exit codes: 0 all hold; 1 one does not; 64 wrong use; 69 a tool cannot be had (1 with CI_STRICT=1).
`

async function main(args) {
  const [option] = args
  if (option === '--help' || option === '-h') {
    process.stdout.write(help)
    return 0
  }
  const isQuick = option === '--quick'
  if (args.length > (isQuick ? 1 : 0)) {
    process.stderr.write(help)
    return 64
  }
  if (isQuick && findTool('opa') === undefined) {
    process.stdout.write(
      '*** THE POLICIES WERE NOT TESTED: ci/tools opa installs what is missing\n',
    )
    return skippedCode
  }
  const opa = await ensureTool('opa')
  return runAll(isQuick ? quickSteps(opa) : allSteps(opa))
}

async function runAll(steps) {
  let exitCode = 0
  for (const [name, work] of steps) {
    const startedAt = Date.now()
    const { faults, note = '' } = await work()
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
    const verdict = faults.length === 0 ? 'ok    ' : 'FAILED'
    process.stdout.write(`${verdict} ${name.padEnd(12)} ${seconds} s ${note}\n`)
    for (const fault of faults) process.stdout.write(`  ${fault}\n`)
    if (faults.length > 0) exitCode = 1
  }
  return exitCode
}

const quickSteps = (opa) => [...staticSteps(opa), ['tests', () => changedTests(opa)]]

const allSteps = (opa) => [
  ...staticSteps(opa),
  ['tests', () => coveringTests(opa)],
  ['data', given],
  ['index', index],
  ['fixtures', fixtures],
  ['regal', regal],
]

const staticSteps = (opa) => [
  ['formatting', () => passes(opa, ['fmt', '--fail', '--list', policy])],
  ['compilation', () => compiles(opa)],
]

async function passes(program, args) {
  const { code, stdout, stderr } = await run(program, args, { cwd: root })
  return { faults: code === 0 ? [] : [`${stdout}${stderr}`.trim()] }
}

async function compiles(opa) {
  const { stdout } = await run(opa, ['capabilities', '--current'])
  const capabilities = JSON.parse(stdout)
  const builtins = capabilities.builtins.filter(({ name }) => !outward.includes(name))
  const folder = mkdtempSync(join(tmpdir(), 'policy-capabilities-'))
  try {
    const file = join(folder, 'capabilities.json')
    writeFileSync(file, JSON.stringify({ ...capabilities, builtins, allow_net: [] }))
    return await passes(opa, ['check', '--strict', '--capabilities', file, '--bundle', policy])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The tests of what git finds changed: all of them where that is lib/, main/ or data. */
function changedTests(opa) {
  const status = ['status', '--porcelain', '--untracked-files=all', '--', policy]
  const { stdout } = spawnSync('git', status, { cwd: root, encoding: 'utf8' })
  const names = stdout.split('\n').map((line) => line.slice(3))
  const changed = names.filter((name) => /\.rego$|^policy\/given\//.test(name))
  if (changed.length === 0) return { faults: [], note: 'no policy was changed' }
  const rules = changed.map((name) => dirname(relative(policy, name)).replaceAll('/', '.'))
  const isAll = rules.some((rule) => /^(lib|main|given)\b/.test(rule))
  const own = rules.map((rule) => rule.replaceAll('.', '\\.')).join('|')
  return tests(opa, isAll ? [] : ['--run', `^data\\.(${own})_test\\.`])
}

async function tests(opa, some) {
  const args = ['test', ...testFlags, ...some, '--bundle', policy]
  const { code, stdout, stderr } = await run(opa, args, { cwd: root })
  if (!stdout.startsWith('['))
    return { faults: [`${stdout}${stderr}`.trim() || 'there is no test'] }
  const results = JSON.parse(stdout)
  const bad = results.filter(({ fail, error, skip }) => fail || error !== undefined || skip)
  const faults = bad.map(
    ({ location, name, skip, error }) =>
      `${location.file}:${location.row}: ${name}${skip ? ' is skipped' : ''}${error ? ` ${JSON.stringify(error)}` : ''}`,
  )
  if (code !== 0 && faults.length === 0) faults.push(`opa test ended with ${code}`)
  return { faults, note: `${results.length - bad.length} of ${results.length}` }
}

/** All tests once, with what they cover; only where one fails, again for its name. */
async function coveringTests(opa) {
  const args = ['test', '--coverage', ...testFlags, '--bundle', policy]
  const { code, stdout } = await run(opa, args, { cwd: root })
  if (code !== 0 || !stdout.startsWith('{')) return tests(opa, [])
  const files = Object.entries(JSON.parse(stdout).files)
  const policies = files.filter(([file]) => !file.endsWith('_test.rego'))
  const faults = policies
    .filter(([, { not_covered: bare = [] }]) => bare.length > 0)
    .map(([file, { not_covered: bare }]) => `${nameIn(file)}: ${rowsOf(bare)} not covered`)
  const sum = policies.reduce((total, [, { covered_lines: lines = 0 }]) => total + lines, 0)
  if (policies.length === files.length) faults.push('there is no test')
  return { faults, note: `${sum} lines of ${policies.length} files covered` }
}

/** opa puts the folder of the bundle before the path that it was given by. */
function nameIn(file) {
  return file.replace(`${policy}/${policy}/`, `${policy}/`)
}

function rowsOf(ranges) {
  const words = ranges.map(({ start, end }) =>
    start.row === end.row ? `${start.row}` : `${start.row}-${end.row}`,
  )
  return [...new Set(words)].join(', ')
}

/** Undefined data denies nothing: `not digest in data.given.signed_images` is undefined without them. */
function given() {
  const texts = readdirSync(policyFolder, { recursive: true })
    .filter((name) => name.endsWith('.rego'))
    .map((name) => readFileSync(join(policyFolder, name), 'utf8'))
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\bdata\.given\.(\w+)/g)].map(([, name]) => name),
  )
  const faults = [...new Set(names)]
    .filter((name) => !existsSync(join(policyFolder, 'given', name, 'data.json')))
    .map((name) => `data.given.${name} is read, and there is no policy/given/${name}/data.json`)
  return { faults, note: `${new Set(names).size} read` }
}

async function index() {
  const { rules, faults, files } = await listRules()
  const changed = differing(files).map(
    (name) => `${name} is not what ci/policy-index makes of the rules`,
  )
  return { faults: [...faults, ...changed], note: `${rules.length} rules` }
}

async function fixtures() {
  const { rules } = await listRules()
  const { count, faults, quiet } = await compareFixtures(rules.map(({ id }) => id))
  const silent = quiet.length === 0 ? '' : `; the rule judges nothing in ${quiet.join(', ')}`
  const none = count === 0 ? ['there is no fixture'] : []
  return {
    faults: [...none, ...faults],
    note: `${count} fixtures of ${rules.length} rules${silent}`,
  }
}

/** Go's registry does not hand it out, so it runs only where somebody has installed it. */
function regal() {
  const program = 'regal'
  if (spawnSync(program, ['version']).status !== 0) {
    return { faults: [], note: '*** NOT RUN: regal is not on PATH ***' }
  }
  const config = join(policy, '.regal/config.yaml')
  return passes(program, ['lint', '--config-file', config, policy])
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof ToolMissing)) throw error
  process.stderr.write(`ci/policy-test: ${error.message}\n`)
  if (process.env.CI_STRICT !== '1') process.stderr.write('*** THE POLICIES WERE NOT TESTED ***\n')
  process.exitCode = process.env.CI_STRICT === '1' ? 1 : skippedCode
}
