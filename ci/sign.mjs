// `ci/sign`: signs an image, says what it is made of and how it came about.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { withSigner } from './supply/cosign.mjs'
import { parseReference, requireImage } from './supply/image.mjs'
import { provenanceOf } from './supply/provenance.mjs'

const help = `usage: ci/sign [REGISTRY/NAME@sha256:…] [--key FILE] [--sbom FOLDER]

Signs the image, attests both SBOMs of ci/sbom and the provenance, and signs the binary in dist/
(dist/postern.sigstore.json). Keyless, by the identity of the workflow that runs; with --key by a private
key (COSIGN_PASSWORD), asking nobody. The image is that of ci/image-build unless another is named.

Exit codes: 0 all is signed, 2 it is not, 64 wrong use.
`

function readCommand() {
  const options = {
    key: { type: 'string' },
    sbom: { type: 'string', default: join(root, 'dist', 'sbom') },
  }
  return readArguments(
    options,
    ({ values, positionals }) => ({ ...values, image: parseReference(positionals[0]) }),
    1,
  )
}

/** Half signed is not signed: what fails stops the rest. */
async function cosign({ program, args }, [verb, ...rest]) {
  const result = await run(program, [verb, ...args, ...rest])
  if (result.code !== 0) throw new Unjudged(`cosign ${verb} ${complaint(result)}`)
}

async function signAll(signer, { image, sbom }) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sign-'))
  try {
    const provenance = join(folder, 'provenance.json')
    writeFileSync(provenance, JSON.stringify(await provenanceOf()))
    await cosign(signer, ['sign', image.text])
    for (const [type, predicate] of [
      ['cyclonedx', join(sbom, 'postern.cdx.json')],
      ['spdxjson', join(sbom, 'postern.spdx.json')],
      ['slsaprovenance1', provenance],
    ]) {
      await cosign(signer, ['attest', '--type', type, '--predicate', predicate, image.text])
    }
    const binary = join(root, 'dist', 'postern')
    if (!existsSync(binary)) throw new Unjudged('there is no dist/postern to sign')
    await cosign(signer, ['sign-blob', '--bundle', `${binary}.sigstore.json`, binary])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await runStep(
  'sign',
  help,
  async ({ check, note }) => {
    const command = readCommand()
    note('image', command.image.text)
    await check('cosign', async () => {
      await requireImage(command.image)
      await withSigner(command, (signer) => signAll(signer, command))
    })
  },
  { strict: true },
)
