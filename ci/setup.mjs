// Run or imported, it leaves a machine on which the tests can run, or says what is missing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ensureDependencies } from './dependencies.mjs'

/** Programs that the tests start, and the packages that bring them. */
const tools = [
  { program: 'redis-server', debian: 'redis-server', brew: 'redis' },
  { program: 'initdb', debian: 'postgresql', brew: 'postgresql@17' },
  { program: 'openssl', debian: 'openssl', brew: 'openssl' },
  { program: 'pgrep', debian: 'procps', brew: 'proctools' },
  { program: 'zsh', debian: 'zsh', brew: 'zsh', isOptional: true },
  { program: 'fish', debian: 'fish', brew: 'fish', isOptional: true },
  { program: 'chromium', debian: 'chromium', brew: '--cask google-chrome' },
  { program: 'promtool', debian: 'prometheus', brew: 'prometheus' },
]

/** Any of them will do for the console's tests; POSTERN_TEST_CHROMIUM names another one. */
const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const macBrowser = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** Debian keeps the server's programs of each version off PATH. */
const postgresVersions = '/usr/lib/postgresql'
/** While this file says so, Debian's packages start no service. */
const servicePolicy = '/usr/sbin/policy-rc.d'

/** Finds the servers, or installs them as root on Debian; ends the process when it can do neither. */
function ensureServers() {
  const missing = missingTools()
  if (missing.length === 0) return
  const packages = missing.map((tool) => tool.debian)
  if (process.getuid?.() === 0 && isOnPath('apt-get')) installOnDebian(packages)
  const left = missingTools()
  for (const { program } of left.filter(({ isOptional }) => isOptional)) {
    process.stderr.write(`postern: ${program} is missing: its completion is NOT tested\n`)
  }
  const still = left.filter(({ isOptional }) => !isOptional)
  if (still.length === 0) return
  process.stderr.write(`postern: the tests need ${still.map((tool) => tool.program).join(', ')}.
  Debian, Ubuntu:  sudo apt-get install ${still.map((tool) => tool.debian).join(' ')}
  macOS:           brew install ${still.map((tool) => tool.brew).join(' ')}
  elsewhere:       put them on PATH (Redis 6.2 or newer, PostgreSQL 14 or newer)
`)
  process.exit(1)
}

function missingTools() {
  return tools.filter(({ program }) =>
    program === 'chromium' ? !isBrowserHere() : !isOnPath(program) && !isDebianPostgres(program),
  )
}

function isBrowserHere() {
  const named = process.env.POSTERN_TEST_CHROMIUM
  return (
    browsers.some(isOnPath) || existsSync(macBrowser) || (named !== undefined && existsSync(named))
  )
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(folder, program))
}

function isDebianPostgres(program) {
  const versions = existsSync(postgresVersions) ? readdirSync(postgresVersions) : []
  return versions.some((version) => isExecutable(join(postgresVersions, version, 'bin'), program))
}

function isExecutable(folder, program) {
  try {
    accessSync(join(folder, program), constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installOnDebian(packages) {
  process.stderr.write(`postern: installing ${packages.join(' ')} from Debian …\n`)
  const isPolicyOurs = !existsSync(servicePolicy)
  if (isPolicyOurs) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    apt(['update'])
    apt(['install', '--yes', '--no-install-recommends', ...packages])
  } finally {
    if (isPolicyOurs) rmSync(servicePolicy)
  }
}

/** A failure shows: what is still missing afterwards is named. */
function apt(args) {
  spawnSync('apt-get', ['--quiet', '--quiet', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', process.stderr, process.stderr],
  })
}

ensureDependencies()
ensureServers()
