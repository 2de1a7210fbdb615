// `ci/dependencies-scan`: what is known of the packages that package-lock.json names.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { complaint, findProgram, parseReport, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { judgeVulnerabilities, readAccepted, severityOfScore, today } from './supply/accepted.mjs'
import { lockPath, readLock, sha512Of } from './supply/lock.mjs'

const help = `usage: ci/dependencies-scan [--database FOLDER] [--lock FILE]

  osv-scanner  advisories of osv.dev; with --database those of FOLDER/osv-scalibr/npm/all.zip, asking
               nobody. A database that is missing, empty or older than a week judges nothing.
  licences     each package's is on the list of ci/supply/accepted.json
  scripts      a package that would run code at install is on the list there
  integrity    each package is locked by SHA-512

High and critical fail, and so does an advisory without a severity. CI_STRICT=1 or CI=true: what could
not be judged fails. Exit codes: 0, 1 findings, 2 not judged, 64 wrong use.
`

const databaseDaysMax = 7

function readCommand() {
  return readArguments({
    database: { type: 'string' },
    lock: { type: 'string', default: lockPath },
  })
}

/** osv-scanner calls an archive of no advisories "no issues found". */
function inspectDatabase(folder) {
  const path = join(folder, 'osv-scalibr', 'npm', 'all.zip')
  if (!existsSync(path)) throw new Unjudged(`there is no database: ${path}`)
  const days = (Date.now() - statSync(path).mtimeMs) / 86_400_000
  if (days > databaseDaysMax) throw new Unjudged(`${path} is ${Math.floor(days)} days old`)
  if (countEntries(readFileSync(path)) === 0) throw new Unjudged(`${path} holds no advisory`)
}

/** From the archive's last record: how many files it says it holds. */
function countEntries(archive) {
  const at = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  return at === -1 || at + 12 > archive.length ? 0 : archive.readUInt16LE(at + 10)
}

async function askOsv({ database, lock }) {
  if (database !== undefined) inspectDatabase(database)
  const program = await findProgram('osv-scanner')
  const local = database === undefined ? [] : ['--offline', '--local-db-path', database]
  const format = ['--format', 'json', '--all-packages', ...local]
  const result = await run(program, ['scan', 'source', '-L', lock, ...format])
  if (result.code !== 0 && result.code !== 1) throw new Unjudged(`it ${complaint(result)}`)
  const report = parseReport('osv-scanner', result.out)
  const packages = report.results?.flatMap((source) => source.packages) ?? []
  requireAll(packages, lock)
  const { vulnerabilities } = readAccepted()
  return judgeVulnerabilities(packages.flatMap(fromOsv), vulnerabilities, today())
}

/** A scanner that has not read the file has not judged it. */
function requireAll(scanned, lock) {
  const seen = new Set(scanned.map(({ package: { name, version } }) => `${name}@${version}`))
  const { packages } = readLock(readFileSync(lock, 'utf8'))
  const missed = packages.filter(({ name, version }) => !seen.has(`${name}@${version}`))
  if (missed.length > 0) {
    throw new Unjudged(`it has not looked at ${missed.length} packages, such as ${missed[0].purl}`)
  }
}

/** A group is one vulnerability under all its names. */
function fromOsv({ package: { name, version }, groups = [] }) {
  return groups.map(({ ids, aliases, max_severity: score }) => ({
    ...{ id: ids[0], aliases: [...ids, ...(aliases ?? [])] },
    ...{ package: name, version, severity: severityOfScore(score) },
  }))
}

function judgeLicences(packages, { licences }) {
  const isAllowed = (text) =>
    text
      .replace(/^\(|\)$/g, '')
      .split(' OR ')
      .some((choice) => choice.split(' AND ').every((name) => licences.includes(name)))
  return packages
    .filter(({ licence }) => typeof licence !== 'string' || !isAllowed(licence))
    .map(({ purl, licence }) => ({ severity: 'high', text: `${purl} is under ${licence}` }))
}

function judgeScripts(packages, { lifecycleScripts }) {
  return packages
    .filter(({ name, hasInstallScript }) => hasInstallScript && !lifecycleScripts[name])
    .map(({ purl }) => ({ severity: 'high', text: `${purl} would run code at install` }))
}

function judgeIntegrity(packages) {
  return packages
    .filter(({ integrity }) => sha512Of(integrity) === undefined)
    .map(({ purl }) => ({ severity: 'high', text: `${purl} is locked by no SHA-512` }))
}

await runStep('dependencies-scan', help, async ({ check, note }) => {
  const command = readCommand()
  const { packages } = readLock(readFileSync(command.lock, 'utf8'))
  const accepted = readAccepted()
  note('packages', packages.length)
  await check('osv-scanner', () => askOsv(command))
  await check('licences', () => judgeLicences(packages, accepted))
  await check('scripts', () => judgeScripts(packages, accepted))
  await check('integrity', () => judgeIntegrity(packages))
})
