// How cosign is called: keyless, by the identity of a workflow, or with a key and without asking
// anybody, which is how the chain is proved on a machine without a network.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complaint, findProgram, must, run } from '../program.mjs'
import { Unjudged, WrongUse } from '../report.mjs'

const issuer = 'https://token.actions.githubusercontent.com'

/** What is said of an image, by the short names that cosign has, and by their own. */
export const attested = {
  cyclonedx: 'https://cyclonedx.org/bom',
  spdxjson: 'https://spdx.dev/Document',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
}

/** With no network cosign wants to be told that there is no log and no authority, in two files. */
export async function withSigner({ key }, work) {
  const program = await findProgram('cosign')
  if (key === undefined) return await work({ program, args: ['--yes'] })
  const folder = mkdtempSync(join(tmpdir(), 'postern-cosign-'))
  try {
    const [config, trusted] = [join(folder, 'signing.json'), join(folder, 'root.json')]
    await must(program, ['signing-config', 'create', '--out', config])
    await must(program, ['trusted-root', 'create', '--out', trusted])
    const offline = ['--signing-config', config, '--trusted-root', trusted]
    return await work({ program, args: ['--yes', '--key', key, ...offline] })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Whose signature counts. A pattern would let in what looks like us. */
export function verifierArguments({ key, identity }) {
  if ((key === undefined) === (identity === undefined)) {
    throw new WrongUse('name either --key or --identity')
  }
  if (key !== undefined) return ['--key', key, '--insecure-ignore-tlog=true']
  return ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
}

/** Findings: nothing if the image carries the signature, else why it does not. */
export async function verifySignature(image, signer) {
  const cosign = await findProgram('cosign')
  const result = await run(cosign, ['verify', ...verifierArguments(signer), image.text])
  if (result.code === 0) return []
  return [{ severity: 'critical', text: `${image.text} is not signed: it ${complaint(result)}` }]
}

/** The predicates of one type that somebody who counts has signed for this very digest. */
export async function verifiedPredicates(image, type, signer) {
  const cosign = await findProgram('cosign')
  const args = ['verify-attestation', '--type', type, ...verifierArguments(signer), image.text]
  const result = await run(cosign, args)
  if (result.code !== 0) return { why: `it ${complaint(result)}`, predicates: [] }
  const statements = result.out
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .map(({ payload }) => JSON.parse(Buffer.from(payload, 'base64').toString()))
    .filter(({ predicateType }) => predicateType === attested[type])
    .filter(({ subject }) =>
      subject.some(({ digest }) => `sha256:${digest.sha256}` === image.digest),
    )
  if (statements.length === 0) throw new Unjudged(`cosign tells of no ${type} that is understood`)
  return { predicates: statements.map(({ predicate }) => predicate) }
}
