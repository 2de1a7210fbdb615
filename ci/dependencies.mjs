import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { applyPatches } from './patches.mjs'

export const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

const bunPackage = join(root, 'node_modules', 'bun')

/** The pinned Bun; npm puts a placeholder of a few bytes here until its install script has run. */
export const bun = join(bunPackage, 'bin', 'bun.exe')
const placeholderBytesMax = 1_000_000

/** Installs what package-lock.json names unless it is there already; ends the process on failure. */
export function ensureDependencies() {
  if (!isInstalled()) {
    const startedAt = Date.now()
    process.stderr.write('postern: installing the locked dependencies from npm, once …\n')
    // No package may run code at install time; Bun's own script is the one exception, below.
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    process.stderr.write(`postern: dependencies installed in ${seconds} s\n`)
  }
  if (!isBunInPlace()) run(process.execPath, ['install.js'], bunPackage)
  if (!isBunInPlace()) fail('the bun package has no binary for this platform')
  try {
    applyPatches(join(root, 'node_modules'))
  } catch (error) {
    fail(error.message)
  }
}

/** npm's own note of what it installed, written last, against the lock file. */
function isInstalled() {
  const note = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(note)) return false
  const installed = readPackages(note)
  const locked = readPackages(join(root, 'package-lock.json'))
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '') return true
    const found = installed[path]
    // An optional package for another platform is locked but not installed.
    return found === undefined ? entry.optional === true : found.version === entry.version
  })
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function isBunInPlace() {
  return existsSync(bun) && statSync(bun).size > placeholderBytesMax
}

function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  if (status !== 0) fail(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}`)
}

function fail(message) {
  process.stderr.write(`postern: ${message}\n`)
  process.exit(1)
}
