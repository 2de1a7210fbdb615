// `ci/policy-mutate`: gets each condition of the policies wrong, one at a time; a test must notice.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { setPriority, tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { policyFolder } from './judge/evaluate.mjs'
import { mutantsOf } from './judge/mutants.mjs'
import { run } from './judge/run.mjs'
import { ensureTool, ToolMissing } from './tools.mjs'

const progressMs = 2000
/** For whatever else runs on the machine. */
const niceness = 10
const wrongUse = 64

const help = `usage: ci/policy-mutate [--help] [PATH …]

Turns each condition of each .rego file below PATH (policy/) round, moves each comparison by one,
leaves each condition out, and runs the tests: a rule's own, or all of them for lib/ and main/. Lists
what no test notices; some of that may mean the same as what is written. Some minutes for everything.

Exit codes: 0 every change was noticed; 1 some were not; 64 wrong use.
`

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  const paths = args.length === 0 ? [policyFolder] : args
  const files = [...new Set(paths.flatMap(policiesBelow))].sort()
  if (files.length === 0 || args.some((word) => word.startsWith('-'))) {
    process.stderr.write(help)
    return wrongUse
  }
  setPriority(niceness)
  const opa = await ensureTool('opa')
  const work = mkdtempSync(join(tmpdir(), 'policy-mutants-'))
  const cleanUp = () => rmSync(work, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      cleanUp()
      process.exit(1)
    })
  }
  try {
    return await mutateAll(opa, files, work)
  } finally {
    cleanUp()
  }
}

function policiesBelow(path) {
  if (!existsSync(path)) return []
  const names = path.endsWith('.rego') ? [''] : readdirSync(path, { recursive: true })
  return names
    .map((name) => relative(policyFolder, resolve(path, name)))
    .filter((name) => name.endsWith('.rego') && !name.startsWith('..'))
    .filter((name) => !name.endsWith('_test.rego') && !name.startsWith('lib/test'))
}

async function mutateAll(opa, files, work) {
  const tally = {
    changes: 0,
    noticed: 0,
    invalid: 0,
    survivors: [],
    startedAt: Date.now(),
    toldAt: 0,
  }
  for (const file of files) {
    const own = prepare(work, file)
    if (await isGreen(opa, own)) await mutateFile({ opa, own, file, tally })
    else note(tally, `policy/${file}: its tests fail as it is, or there are none`)
  }
  const { changes, noticed, invalid, survivors, startedAt } = tally
  process.stdout.write(
    `${files.length} files, ${changes} changes: ${noticed} noticed, ${invalid} do not compile, ${survivors.length} not noticed; ${seconds(startedAt)} s\n`,
  )
  return survivors.length === 0 && noticed > 0 ? 0 : 1
}

async function mutateFile({ opa, own, file, tally }) {
  for (const mutant of await mutants(opa, file)) {
    tellNow(tally, file)
    tally.changes += 1
    writeFileSync(join(own, file), mutant.text)
    const verdict = await verdictOn(opa, own, file)
    if (verdict !== 'survived') tally[verdict] += 1
    else note(tally, `policy/${file}:${mutant.row}: ${mutant.was}   →   ${mutant.is}`)
  }
}

function note(tally, survivor) {
  tally.survivors.push(survivor)
  process.stdout.write(`${survivor}\n`)
}

function tellNow(tally, file) {
  if (Date.now() - tally.toldAt < progressMs) return
  tally.toldAt = Date.now()
  const { changes, survivors, startedAt } = tally
  tell(`${seconds(startedAt)} s, ${changes} changes, ${survivors.length} not noticed, ${file}`)
}

/** A copy of what the tests of one file need. */
function prepare(work, file) {
  rmSync(join(work, 'policy'), { recursive: true, force: true })
  const target = join(work, 'policy')
  const isWide = /^(lib|main)\//.test(file)
  const isWanted = (path) => {
    const name = relative(policyFolder, path)
    if (name.startsWith('fixtures')) return false
    if (isWide || name === '' || /^(lib|given)(\/|$)/.test(name)) {
      return isWide || !name.endsWith('_test.rego')
    }
    const folder = dirname(file)
    return folder.startsWith(name) || name.startsWith(folder)
  }
  cpSync(policyFolder, target, { recursive: true, filter: isWanted })
  return target
}

async function mutants(opa, file) {
  const path = join(policyFolder, file)
  const { stdout } = await run(opa, [
    'parse',
    '--format',
    'json',
    '--json-include',
    'locations',
    path,
  ])
  return mutantsOf(readFileSync(path, 'utf8'), JSON.parse(stdout))
}

function test(opa, folder, own = []) {
  return run(opa, ['test', '--fail-on-empty', '--format', 'json', ...own, '--bundle', folder])
}

async function isGreen(opa, folder) {
  const { code } = await test(opa, folder)
  return code === 0
}

/**
 * Two is opa's code for a test that fails, one for a policy that does not compile. The tests of the
 * file come first: all of them are asked only about what those let pass.
 */
async function verdictOn(opa, folder, file) {
  const name = file.replace(/\.rego$/, '_test.rego')
  const title = dirname(file).replaceAll('/', '.')
  const own = file.startsWith('lib/') ? name.replace('_test.rego', '').replace('/', '.') : title
  if (existsSync(join(folder, name))) {
    const { code } = await test(opa, folder, ['--run', `^data\\.${own}_test\\.`])
    if (code !== 0) return code === 1 ? 'invalid' : 'noticed'
  }
  const { code } = await test(opa, folder)
  return { 0: 'survived', 1: 'invalid' }[code] ?? 'noticed'
}

function seconds(since) {
  return Math.round((Date.now() - since) / 1000)
}

function tell(line) {
  process.stderr.write(`postern: ${line}\n`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof ToolMissing)) throw error
  process.stderr.write(`ci/policy-mutate: ${error.message}\n`)
  process.exitCode = 1
}
