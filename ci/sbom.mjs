// `ci/sbom`: what the image is made of.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bun as bunPath, root } from './dependencies.mjs'
import { describeTree, findProgram, must, parseReport, readArguments } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { collectParts, missingFrom, toCycloneDx, toSpdx } from './supply/bom.mjs'
import { exportImage, parseReference, requireImage, sha256OfFile } from './supply/image.mjs'
import { readLock } from './supply/lock.mjs'

const help = `usage: ci/sbom [REGISTRY/NAME@sha256:… | --source] [--out FOLDER]

Writes FOLDER/postern.cdx.json (CycloneDX 1.6) and FOLDER/postern.spdx.json (SPDX 2.3), by default into
dist/sbom: every package of package-lock.json (the build's lock file), those of production as required,
Bun with the SHA-256 of its executable, and what syft finds in the image. --source leaves the image out.
The image is that of ci/image-build unless another is named.

Fails if anything is missing: each locked package, Bun, each package that the image's own dpkg names; if
the binary in the image is not the one in dist/. The same commit and image give the same bytes.

Exit codes: 0, 1 something is missing, 2 not judged, 64 wrong use.
`

const binaryInImage = 'usr/local/bin/postern'
const dpkgFolder = 'var/lib/dpkg/status.d/'

function readCommand() {
  const options = {
    source: { type: 'boolean', default: false },
    out: { type: 'string', default: join(root, 'dist', 'sbom') },
  }
  return readArguments(
    options,
    ({ values, positionals }) => ({
      ...values,
      image: values.source ? undefined : parseReference(positionals[0]),
    }),
    1,
  )
}

/** The runtime that was compiled in is the one that compiled, as long as no other was named. */
async function describeBun() {
  if (!existsSync(bunPath)) throw new Unjudged('Bun is not installed: npm ci, then npm run build')
  const { version, license } = JSON.parse(
    readFileSync(join(root, 'node_modules', 'bun', 'package.json'), 'utf8'),
  )
  return { version, licence: license, sha256: await sha256OfFile(bunPath) }
}

async function look(image) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sbom-'))
  try {
    await requireImage(image)
    const [crane, syft] = [await findProgram('crane'), await findProgram('syft')]
    const archive = join(folder, 'image.tar')
    await must(crane, ['pull', '--format=tarball', image.text, archive])
    const env = { ...process.env, SYFT_CHECK_FOR_APP_UPDATE: 'false' }
    const scan = ['scan', `docker-archive:${archive}`, '--quiet', '--output', 'cyclonedx-json']
    const found = parseReport('syft', await must(syft, scan, { env }))
    rmSync(archive)
    const files = await exportImage(image, join(folder, 'files.tar'))
    const basePackages = (await files.list())
      .filter((path) => path.startsWith(dpkgFolder) && !path.endsWith('.md5sums'))
      .map((path) => path.slice(dpkgFolder.length))
      .filter((name) => name !== '')
    const binary = await files.read(binaryInImage)
    return { found, basePackages, binarySha256: createHash('sha256').update(binary).digest('hex') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The commit's own time, or the one that whoever builds has set. */
async function timeOf() {
  const epoch = process.env.SOURCE_DATE_EPOCH ?? (await must('git', ['log', '-1', '--format=%ct']))
  return new Date(Number(epoch.toString()) * 1000).toISOString().replace('.000Z', 'Z')
}

function write(out, name, document) {
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, name), `${JSON.stringify(document, null, 2)}\n`)
}

async function judgeBinary(image, looked) {
  const built = join(root, 'dist', 'postern')
  if (!existsSync(built)) throw new Unjudged('there is no dist/postern to compare with')
  if ((await sha256OfFile(built)) === looked.binarySha256) return []
  return [{ severity: 'critical', text: `the binary in ${image.text} is not dist/postern` }]
}

await runStep('sbom', help, async ({ check, note }) => {
  const { image, out } = readCommand()
  const [lock, bun] = [readLock(), await describeBun()]
  const looked = image === undefined ? undefined : await look(image)
  const subject = {
    name: lock.name,
    version: lock.version,
    purl: image
      ? `pkg:oci/postern@${encodeURIComponent(image.digest)}`
      : `pkg:generic/postern@${lock.version}`,
    commit: describeTree().commit,
    image: image?.digest,
    binarySha256: looked?.binarySha256,
  }
  const parts = collectParts({ lock, bun, image: looked?.found })
  const context = { subject, requires: lock.requires, time: await timeOf() }
  const cycloneDx = toCycloneDx(parts, context)
  write(out, 'postern.cdx.json', cycloneDx)
  write(out, 'postern.spdx.json', toSpdx(parts, context))
  note('components', parts.length)
  await check('completeness', () =>
    missingFrom(cycloneDx, { lock, bun, basePackages: looked?.basePackages }).map((text) => ({
      severity: 'high',
      text: `${text} is missing`,
    })),
  )
  if (image !== undefined) await check('binary', () => judgeBinary(image, looked))
})
