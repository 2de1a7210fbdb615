// `ci/rescan`: what became known of images that were released, without building them again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complaint, findProgram, parseReport, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import {
  judgeVulnerabilities,
  readAccepted,
  severityOfScore,
  severityOfWord,
  today,
} from './supply/accepted.mjs'
import { verifiedPredicates } from './supply/cosign.mjs'
import { parseReference, requireImage } from './supply/image.mjs'

const help = `usage: ci/rescan REGISTRY/NAME [--newest N] --key FILE | --workflow URL

Takes the SBOM out of the attestation of each of the N newest releases (tags vX.Y.Z, 3), whose signature
counts, and asks osv-scanner and grype about it. URL is the release workflow without its ref:
https://github.com/OWNER/NAME/.github/workflows/release.yaml; each image was signed at its own tag.

Exit codes: 0, 1 findings, 2 not judged: also if there is no release. 64 wrong use.
`

function readCommand() {
  const options = {
    newest: { type: 'string', default: '3' },
    key: { type: 'string' },
    workflow: { type: 'string' },
  }
  return readArguments(
    options,
    ({ values, positionals }) => {
      const [repository] = positionals
      if (!repository || !(Number(values.newest) >= 1)) throw new Error('name a repository')
      if ((values.key === undefined) === (values.workflow === undefined)) {
        throw new Error('name either --key or --workflow')
      }
      return { ...values, repository }
    },
    1,
  )
}

async function listReleases({ repository, newest }) {
  const crane = await findProgram('crane')
  const listed = await run(crane, ['ls', repository])
  if (listed.code !== 0) throw new Unjudged(`${repository} cannot be listed: ${listed.err.trim()}`)
  const tags = listed.out
    .toString()
    .split('\n')
    .filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
  if (tags.length === 0) throw new Unjudged(`${repository} holds no release`)
  const byVersion = (a, b) => b.localeCompare(a, 'en', { numeric: true })
  return tags.sort(byVersion).slice(0, Number(newest))
}

async function storedSbom(tag, { repository, key, workflow }) {
  const crane = await findProgram('crane')
  const found = await run(crane, ['digest', `${repository}:${tag}`])
  const image = parseReference(`${repository}@${found.out.toString().trim()}`)
  await requireImage(image)
  const signer = key === undefined ? { identity: `${workflow}@refs/tags/${tag}` } : { key }
  const { why, predicates } = await verifiedPredicates(image, 'cyclonedx', signer)
  if (why !== undefined) throw new Unjudged(`${image.text} has no SBOM that counts: ${why}`)
  return predicates.at(-1)
}

async function askOsv(path) {
  const program = await findProgram('osv-scanner')
  const result = await run(program, ['scan', 'source', '-L', path, '--format', 'json'])
  if (result.code > 1) throw new Unjudged(`it ${complaint(result)}`)
  const { results = [] } = parseReport('osv-scanner', result.out)
  return results
    .flatMap(({ packages }) => packages)
    .flatMap(({ package: { name, version }, groups = [] }) =>
      groups.map(({ ids, aliases = [], max_severity: score }) => ({
        ...{ id: ids[0], aliases: [...ids, ...aliases], package: name, version },
        severity: severityOfScore(score),
      })),
    )
}

async function askGrype(path) {
  const program = await findProgram('grype')
  const result = await run(program, [`sbom:${path}`, '--output', 'json', '--quiet'])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  return parseReport('grype', result.out).matches.map(({ vulnerability, artifact }) => ({
    ...{ id: vulnerability.id, package: artifact.name, version: artifact.version },
    severity: severityOfWord(vulnerability.severity),
  }))
}

/** Tests and tools are judged in the tree they are in; of an image counts what is in it. */
function withoutDevelopment(sbom) {
  return { ...sbom, components: sbom.components.filter(({ scope }) => scope !== 'excluded') }
}

await runStep('rescan', help, async ({ check, note }) => {
  const command = readCommand()
  const folder = mkdtempSync(join(tmpdir(), 'postern-rescan-'))
  try {
    const tags = []
    await check('registry', async () => void tags.push(...(await listReleases(command))))
    note('releases', tags)
    const { vulnerabilities } = readAccepted()
    for (const tag of tags) {
      const path = join(folder, `${tag}.cdx.json`)
      const judge = async (ask) => judgeVulnerabilities(await ask(path), vulnerabilities, today())
      const isStored = await check(`sbom-${tag}`, async () => {
        writeFileSync(path, JSON.stringify(withoutDevelopment(await storedSbom(tag, command))))
      })
      if (!isStored) continue
      await check(`osv-scanner-${tag}`, () => judge(askOsv))
      await check(`grype-${tag}`, () => judge(askGrype))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
