import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { bun, root } from './dependencies.mjs'

/** A step that hangs must not eat the time of the whole gate. */
const stepMinutesMax = 12

/** What a step ends with that could not run, because something it needs cannot be had here. */
const skippedCode = 69

/** Of what a failed test or step printed, so many lines are told again at the end of a run. */
const complaintLinesMax = 80

/**
 * Run by hand, by scripts of their own: they take minutes or Docker. Those of policy/ need what the
 * step `policy` builds on a new machine, and run after it.
 */
const notInTests = ['bench', 'compose', 'fault', 'image', 'policy']

/** What a test takes seconds for: processes, browsers, the embedded engine, histories, waiting. */
const slow =
  /\bBun\.spawn|\bchromium\.launch|embedded-engine|\bcreateSimulation\b|\bBun\.sleep\(\d\d_/

/** Those that take two seconds and more for what no word in them tells: much arithmetic, real waits. */
const longTests = new Set([
  'test/audit/tree/tree.test.ts',
  'test/audit/verify/verify-log.test.ts',
  'test/audit/witness/http-witness.test.ts',
  'test/client/retries.test.ts',
  'test/client/watch.test.ts',
  'test/commands/sibling-metrics.test.ts',
  'test/commands/supervise.test.ts',
  'test/gateway/enqueue.test.ts',
  'test/order/venue/alpaca-stream.test.ts',
  'test/schedule/cron.test.ts',
  'test/secret/aws-answers.test.ts',
  'test/secret/aws-secret-store.test.ts',
  'test/trace/span-buffer.test.ts',
])

const tool = (name) => join(root, 'node_modules', '.bin', name)

export const staticSteps = [
  { name: 'biome', command: [tool('biome'), 'ci', '--colors=off', '.'] },
  { name: 'tsc', command: [tool('tsc')] },
  { name: 'tsc of k6', command: [tool('tsc'), '--project', join(root, 'test/load/scenarios')] },
  // Browser code alone knows `window`.
  { name: 'tsc of console', command: [tool('tsc'), '--project', join(root, 'gateway/console')] },
  { name: 'knip', command: [tool('knip')] },
]

const policyScript = join(root, 'ci', 'policy-test.mjs')

/**
 * On a machine without opa and conftest most of it is their build. Behind the tests beside it, which
 * have deadlines.
 */
export const policyStep = {
  name: 'policy',
  command: ['nice', '-n', '15', process.execPath, policyScript],
}

export const quickPolicyStep = {
  name: 'policy',
  command: [process.execPath, policyScript, '--quick'],
}

/** Bun 1.4.5 takes no such setting from bunfig.toml, and its own 5 s are a slow machine's initdb. */
const testMsMax = 20_000

export function testStep(name, files) {
  const paths = files.map((file) => `./${file}`)
  return { name, command: [bun, 'test', `--timeout=${testMsMax}`, ...paths], isBunTest: true }
}

/** Test processes at a time: half of what a test does is wait. */
const lanes = Math.min(availableParallelism() + 1, 4)

/** With more parts than lanes none is long idle; each part starts servers of its own, for seconds. */
const partsOfLane = 2

/**
 * The same in parts. Neighbours in the list, which take alike, go to different ones; what takes seconds
 * is dealt out first, or chance would give one part the most of it.
 */
export function testSteps(name, files) {
  const count = lanes * partsOfLane
  const dealt = [...files.filter((file) => isSlow(file)), ...files.filter((file) => !isSlow(file))]
  return Array.from({ length: count }, (_, part) =>
    testStep(
      `${name} ${part + 1}/${count}`,
      dealt.filter((_file, index) => index % count === part),
    ),
  )
}

/**
 * Tests that start `postern` start this, built first: half a second less each time than from source.
 * `npm run check` starts none that often.
 */
export const testBinary = join(root, 'dist', 'test', 'postern')
export const buildStep = {
  name: 'build',
  command: [bun, join(root, 'ci', 'build.ts'), '--outfile', testBinary],
}

/** Runs tests as many at a time as there are lanes, and whatever else is among the steps beside them. */
export async function runSteps(steps, optionsOf) {
  const results = []
  const waiting = [...steps.keys()].filter((at) => steps[at].isBunTest)
  const work = async (at) => {
    results[at] = await runStep(steps[at], optionsOf(at))
  }
  const lane = async () => {
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await work(at)
  }
  const others = [...steps.keys()].filter((at) => !steps[at].isBunTest)
  await Promise.all([...Array.from({ length: lanes }, lane), ...others.map(work)])
  return results
}

/** Paths from the root of every test file that belongs to the gate. */
export function testFiles() {
  return allTestFiles().filter((path) => !notInTests.includes(path.split('/')[1]))
}

/** Those that ask `ci/policy`, and so opa. */
export function policyTestFiles() {
  return allTestFiles().filter((path) => path.startsWith('test/policy/'))
}

function allTestFiles() {
  return readdirSync(join(root, 'test'), { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path}`)
    .sort()
}

/** Whether a test alone takes longer than a person waits for. */
export const isLong = (file) => longTests.has(file)

/** Whether a test, or a file of test/ that it imports, needs more than this process. */
export function isSlow(file, seen = new Set()) {
  if (seen.has(file)) return false
  seen.add(file)
  const text = readFileSync(join(root, file), 'utf8')
  if (slow.test(text)) return true
  return [...text.matchAll(/from '(#test\/|\.\.?\/)(.+)'/g)].some(([, start, rest]) => {
    const from = start === '#test/' ? join(root, 'test') : join(root, dirname(file), start)
    const imported = relative(root, join(from, rest))
    return imported.startsWith('test/') && isSlow(imported, seen)
  })
}

/**
 * Runs a command; resolves with what it counted. `isQuiet` tells one line at its end in place of its
 * output; `prefix` stands before each line of that.
 */
async function runStep(
  { name, command, isBunTest = false },
  { isQuiet = false, prefix = '' } = {},
) {
  const startedAt = Date.now()
  const { code, output } = await run(command, { isQuiet, prefix })
  const isSkipped = code === skippedCode
  const isGood = code === 0 || isSkipped
  const counted = { passed: code === 0 ? 1 : 0, failed: 0 }
  const { passed, failed } = isBunTest ? countTests(output) : counted
  // A crash, an error between two tests or a kill fails no test by itself.
  const failedAtLeast = isGood ? 0 : 1
  const seconds = (Date.now() - startedAt) / 1000
  const result = {
    name,
    seconds,
    passed,
    failed: Math.max(failed, failedAtLeast),
    isSkipped,
    complaint: isGood && !isSkipped ? '' : complaintOf(output),
  }
  if (isQuiet) process.stdout.write(lineOf(result))
  return result
}

/** What stands before each `(fail)`, from the test before it; of a step that names none, its end. */
function complaintOf(output) {
  const lines = output.trimEnd().split('\n')
  const isVerdict = (line) => /^\((pass|fail|skip)\) /.test(line)
  const told = lines.flatMap((line, index) => {
    if (line.startsWith('# Unhandled error')) return lines.slice(index, index + complaintLinesMax)
    if (!line.startsWith('(fail) ')) return []
    const before = lines.slice(Math.max(0, index - complaintLinesMax), index)
    return [...before.slice(before.findLastIndex(isVerdict) + 1), line]
  })
  return (told.length === 0 ? lines.slice(-complaintLinesMax) : told).join('\n')
}

function run([program, ...args], { isQuiet, prefix }) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), stepMinutesMax * 60_000)
  const chunks = []
  const collect = (stream, target) => {
    stream.on('data', (chunk) => chunks.push(chunk))
    if (isQuiet) return
    if (prefix === '') stream.on('data', (chunk) => target.write(chunk))
    else createInterface(stream).on('line', (line) => target.write(`${prefix}${line}\n`))
  }
  collect(child.stdout, process.stdout)
  collect(child.stderr, process.stderr)
  return new Promise((resolve) => {
    child.on('error', (error) => chunks.push(Buffer.from(`${program}: ${error.message}\n`)))
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output: Buffer.concat(chunks).toString() })
    })
  })
}

/** Bun ends with lines such as ` 12 pass` and ` 0 fail`. */
function countTests(output) {
  const last = (word) => {
    const found = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].at(-1)
    return found === undefined ? 0 : Number(found[1])
  }
  return { passed: last('pass'), failed: last('fail') }
}

/**
 * Prints what failed once more, thousands of lines after it happened, a line per step and the sum;
 * returns the exit code.
 */
export function summarize(results) {
  const width = Math.max(...results.map(({ name }) => name.length))
  for (const result of results) process.stdout.write(complaintIn(result))
  process.stdout.write('\n')
  for (const result of results) process.stdout.write(lineOf(result, width))
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed, 0)
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  return failed === 0 && passed > 0 ? 0 : 1
}

function lineOf({ name, passed, failed, seconds, isSkipped }, width = 0) {
  const counts = `${passed} passed, ${failed} failed`
  const verdict = verdictOf(isSkipped, failed)
  return `${verdict} ${name.padEnd(width)} ${seconds.toFixed(1)} s, ${counts}\n`
}

function complaintIn({ name, complaint, isSkipped }) {
  if (complaint === '') return ''
  return `\n── ${isSkipped ? 'not run' : 'failed'}: ${name}\n${complaint}\n`
}

function verdictOf(isSkipped, failed) {
  if (isSkipped) return 'NOTRUN'
  return failed === 0 ? 'ok    ' : 'FAILED'
}
