// `ci/image-scan`: the Dockerfile, the image and what is known of its parts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, findProgram, must, parseReport, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { judgeVulnerabilities, readAccepted, severityOfWord, today } from './supply/accepted.mjs'
import { parseReference, requireImage } from './supply/image.mjs'

const help = `usage: ci/image-scan [REGISTRY/NAME@sha256:… | --dockerfile] [--sbom FILE]

  hadolint  Dockerfile.distroless, by ci/hadolint.yaml; with --dockerfile this alone
  dockle    the image's configuration
  trivy     vulnerabilities in the image
  grype     vulnerabilities in what the SBOM of ci/sbom names, the image's packages among it

High and critical fail, less what ci/supply/accepted.json accepts until a day. The image is that of
ci/image-build unless another is named. Exit codes: 0, 1 findings, 2 not judged, 64 wrong use.
`

function readCommand() {
  const options = {
    dockerfile: { type: 'boolean', default: false },
    sbom: { type: 'string', default: join(root, 'dist', 'sbom', 'postern.cdx.json') },
  }
  return readArguments(
    options,
    ({ values, positionals }) => ({
      ...values,
      image: values.dockerfile ? undefined : parseReference(positionals[0]),
    }),
    1,
  )
}

async function hadolint() {
  const program = await findProgram('hadolint')
  const config = ['--config', join(root, 'ci', 'hadolint.yaml'), '--format', 'json']
  const result = await run(program, [...config, join(root, 'Dockerfile.distroless')])
  if (result.code > 1) throw new Unjudged(`it ${complaint(result)}`)
  return parseReport('hadolint', result.out).map(({ level, code, line, message }) => ({
    severity: { error: 'high', warning: 'high', info: 'medium' }[level] ?? 'low',
    text: `${code} in line ${line}: ${message}`,
  }))
}

async function dockle(archive) {
  const program = await findProgram('dockle', 'see https://github.com/goodwithtech/dockle')
  const result = await run(program, ['--format', 'json', '--input', archive])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  const { details } = parseReport('dockle', result.out)
  const bySeverity = { FATAL: 'critical', WARN: 'high', INFO: 'low' }
  return (details ?? [])
    .filter(({ level }) => level in bySeverity)
    .map(({ level, code, title }) => ({ severity: bySeverity[level], text: `${code}: ${title}` }))
}

async function trivy(archive) {
  const program = await findProgram('trivy', 'see https://github.com/aquasecurity/trivy')
  const quiet = ['--quiet', '--skip-version-check', '--disable-telemetry', '--scanners', 'vuln']
  const result = await run(program, ['image', ...quiet, '--format', 'json', '--input', archive])
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  const { Results: results = [] } = parseReport('trivy', result.out)
  if (results.length === 0) throw new Unjudged('it has found no package in the image')
  const found = results.flatMap(({ Vulnerabilities: list = [] }) => list)
  return judge(
    found.map((each) => ({
      ...{ id: each.VulnerabilityID, package: each.PkgName, version: each.InstalledVersion },
      severity: severityOfWord(each.Severity),
    })),
  )
}

async function grype(sbom) {
  const program = await findProgram('grype')
  const env = { ...process.env, GRYPE_CHECK_FOR_APP_UPDATE: 'false' }
  const result = await run(program, [`sbom:${sbom}`, '--output', 'json', '--quiet'], { env })
  if (result.code !== 0) throw new Unjudged(`it ${complaint(result)}`)
  return judge(
    parseReport('grype', result.out).matches.map(({ vulnerability, artifact, ...rest }) => ({
      id: vulnerability.id,
      aliases: (rest.relatedVulnerabilities ?? []).map(({ id }) => id),
      package: artifact.name,
      version: artifact.version,
      severity: severityOfWord(vulnerability.severity),
    })),
  )
}

function judge(found) {
  return judgeVulnerabilities(found, readAccepted().vulnerabilities, today())
}

async function scanImage(image, check) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-scan-'))
  try {
    const archive = join(folder, 'image.tar')
    const isHere = await check('pull', async () => {
      await requireImage(image)
      await must(await findProgram('crane'), ['pull', '--format=tarball', image.text, archive])
    })
    if (!isHere) return
    await check('dockle', () => dockle(archive))
    await check('trivy', () => trivy(archive))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await runStep('image-scan', help, async ({ check }) => {
  const { image, sbom } = readCommand()
  await check('hadolint', hadolint)
  if (image === undefined) return
  await scanImage(image, check)
  await check('grype', () => grype(sbom))
})
