// `ci/verify`: whether an image is ours, before anything is done with it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { verifiedPredicates, verifierArguments, verifySignature } from './supply/cosign.mjs'
import { parseReference, requireImage } from './supply/image.mjs'

const help = `usage: ci/verify [REGISTRY/NAME@sha256:…] --key FILE | --identity URL [--commit HASH] [--out FOLDER]

The image carries a signature, both SBOMs and its provenance, each by the key or by the workflow URL
(https://github.com/OWNER/NAME/.github/workflows/release.yaml@refs/tags/v1.2.3), for this digest. With
--commit it was built from that commit, with nothing changed. --out keeps what was attested.

A registry that does not answer judges nothing. Exit codes: 0, 1 not ours, 2 not judged, 64 wrong use.
`

function readCommand() {
  const text = { type: 'string' }
  return readArguments(
    { key: text, identity: text, commit: text, out: text },
    ({ values, positionals }) => {
      verifierArguments(values)
      return { ...values, image: parseReference(positionals[0]) }
    },
    1,
  )
}

const judges = {
  cyclonedx: ({ metadata }, { image }) =>
    metadata?.component?.properties?.some(({ value }) => value === image.digest)
      ? undefined
      : 'was written for another image',
  spdxjson: ({ packages }) => (packages?.length > 1 ? undefined : 'names no package'),
  slsaprovenance1: ({ buildDefinition: build }, { commit }) => {
    const source = build?.externalParameters?.source
    if (commit === undefined) return undefined
    if (source?.digest?.gitCommit !== commit) return `was built from ${source?.digest?.gitCommit}`
    return source.clean === true ? undefined : 'was built from a tree that was changed'
  },
}

async function judgeAttestation(type, command) {
  const { image, out } = command
  const { why, predicates } = await verifiedPredicates(image, type, command)
  if (why !== undefined) return [{ severity: 'critical', text: `no ${type}: ${why}` }]
  // Signed anew it says the same again; what it says must hold each time.
  const wrong = predicates.map((predicate) => judges[type](predicate, command)).filter(Boolean)
  if (out !== undefined) {
    mkdirSync(out, { recursive: true })
    writeFileSync(join(out, `${type}.json`), `${JSON.stringify(predicates.at(-1), null, 2)}\n`)
  }
  return wrong.map((text) => ({ severity: 'critical', text: `its ${type} ${text}` }))
}

await runStep(
  'verify',
  help,
  async ({ check, note }) => {
    const command = readCommand()
    note('image', command.image.text)
    let isThere = false
    await check('registry', async () => {
      await requireImage(command.image)
      isThere = true
    })
    if (!isThere) throw new Unjudged('without the image there is nothing to verify')
    await check('signature', () => verifySignature(command.image, command))
    for (const type of Object.keys(judges)) await check(type, () => judgeAttestation(type, command))
  },
  { strict: true },
)
