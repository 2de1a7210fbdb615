// `ci/promote`: the very image that was released, to where it will run.
import { findProgram, must, readArguments } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import {
  attested,
  verifiedPredicates,
  verifierArguments,
  verifySignature,
} from './supply/cosign.mjs'
import { parseReference } from './supply/image.mjs'

const help = `usage: ci/promote REGISTRY/NAME@sha256:… REGISTRY/NAME:TAG --key FILE | --identity URL

Copies an image with its signature and attestations, by digest: verified before, not built again, verified
after. Prints the new reference in the JSON line. Exit codes: 0, 1 not ours, 2 not judged, 64 wrong use.
`

const destination = /^(?<repository>\w[\w.-]*(?::\d+)?(?:\/[\w.-]+)+):(?<tag>[\w.-]+)$/

function readCommand() {
  return readArguments(
    { key: { type: 'string' }, identity: { type: 'string' } },
    ({ values, positionals }) => {
      verifierArguments(values)
      const target = positionals[1]?.match(destination)?.groups
      if (target === undefined) throw new Error('name where to: REGISTRY/NAME:TAG')
      return { ...values, image: parseReference(positionals[0]), target }
    },
    2,
  )
}

async function verifyAll(image, signer) {
  const findings = await verifySignature(image, signer)
  for (const type of Object.keys(attested)) {
    const { why } = await verifiedPredicates(image, type, signer)
    if (why !== undefined) findings.push({ severity: 'critical', text: `no ${type}: ${why}` })
  }
  return findings
}

async function copy(image, { repository, tag }) {
  const crane = await findProgram('crane')
  await must(crane, ['copy', image.text, `${repository}@${image.digest}`])
  // Where a registry has no referrers API, they hang on a tag that is made of the digest.
  const referrers = image.digest.replace(':', '-')
  const tags = (await must(crane, ['ls', image.repository])).toString().split('\n')
  const own = tags.filter((name) => name === referrers || name.startsWith(`${referrers}.`))
  if (own.length === 0) throw new Unjudged(`no tag ${referrers} holds its signatures`)
  for (const name of own) {
    await must(crane, ['copy', `${image.repository}:${name}`, `${repository}:${name}`])
  }
  const copied = { ...image, repository, text: `${repository}@${image.digest}` }
  return { copied, tagIt: () => must(crane, ['tag', copied.text, tag]) }
}

await runStep(
  'promote',
  help,
  async ({ check, note }) => {
    const { image, target, ...signer } = readCommand()
    if (!(await check('source', () => verifyAll(image, signer)))) return
    let made
    const isCopied = await check('copy', async () => {
      made = await copy(image, target)
    })
    if (!isCopied) throw new Unjudged('it was not copied whole, and carries no tag there')
    if (!(await check('destination', () => verifyAll(made.copied, signer)))) return
    await check('tag', async () => void (await made.tagIt()))
    note('image', made.copied.text)
  },
  { strict: true },
)
