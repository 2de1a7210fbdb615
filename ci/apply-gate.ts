// Whether a plan may be applied to an environment: two people have read this very plan. GitHub's
// own reviewers of an environment are one of n, so the counting is done here.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ZodType, z } from 'zod'
import { type CheckIdentity, readSigner, verifiedStatement } from './gate/attestation.ts'
import { type Refusal, refusalsOf } from './gate/decide.ts'
import { pullRequestPages, pushes, type Statement } from './gate/evidence.ts'
import { ownersOf } from './gate/owners.ts'

const help = `usage: ci/apply-gate --environment NAME --plan FILE --evidence FOLDER \\
         --plan-signer SIGNER --image-signer SIGNER [--owners FILE] [--now TIME]

Admits a plan, or says why not: one line per reason. FOLDER is what ci/apply-evidence collects:

  pull-request.json    pages of the pull request with its reviews, from GraphQL
  pushes.json          the activity of its branch
  attestations/*.json  signed statements: about the plan, the verdict of policy/ on it, and provenance
                       and SBOM of every image that it names

SIGNER is the file of a public key, or the identity of a workflow, https://github.com/…@refs/…, for
which cosign is asked. --owners is .github/CODEOWNERS of the branch that is trusted.

Two people of CODEOWNERS, neither author nor last pusher nor a program, have approved the head commit
after it was pushed, and their words name the SHA-256 of the plan.

Exit codes: 0 admitted; 1 refused; 2 the evidence is not whole or cannot be read; 64 wrong use.
`

const issuer = 'https://token.actions.githubusercontent.com'

const options = {
  environment: { type: 'string' },
  plan: { type: 'string' },
  evidence: { type: 'string' },
  'plan-signer': { type: 'string' },
  'image-signer': { type: 'string' },
  owners: { type: 'string', default: '.github/CODEOWNERS' },
  now: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const command = z.object({
  environment: z.string().min(1),
  plan: z.string().min(1),
  evidence: z.string().min(1),
  'plan-signer': z.string().min(1),
  'image-signer': z.string().min(1),
  owners: z.string(),
  now: z.iso.datetime().optional(),
})

/** Thrown with the line that says what cannot be read. */
class Unreadable extends Error {}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Unreadable(`${path} is not there`, { cause })
  }
}

function readJson<T>(path: string, schema: ZodType<T>): T {
  const text = readText(path)
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Unreadable(`${path}: ${firstLine(cause)}`, { cause })
  }
}

function firstLine(cause: unknown): string {
  if (cause instanceof z.ZodError) return z.prettifyError(cause).split('\n').join(' ')
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
}

const checkIdentity: CheckIdentity = (path, { predicateType, subject }, identity) => {
  const [digest] = subject
  const asked = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const sha256 = digest?.digest['sha256'] ?? ''
  const about = ['--type', predicateType, '--digest', sha256, '--digestAlg', 'sha256']
  const cosign = join(import.meta.dir, 'tools.mjs')
  const found = Bun.spawnSync(['node', cosign, 'cosign'], { stderr: 'inherit' })
  if (!found.success) throw new Unreadable('cosign is not there to check a certificate')
  const program = found.stdout.toString().trim()
  return Bun.spawnSync([program, 'verify-blob-attestation', '--bundle', path, ...asked, ...about], {
    stderr: 'inherit',
  }).success
}

interface Told {
  readonly statements: readonly Statement[]
  readonly refusals: readonly Refusal[]
}

function readAttestations(folder: string, asked: z.infer<typeof command>): Told {
  const signers = {
    plan: readSigner(asked['plan-signer'], readText),
    image: readSigner(asked['image-signer'], readText),
  }
  const told = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, path: join(folder, name) }))
    .map(({ name, path }) => ({ name, said: readAttestation(path, { signers, checkIdentity }) }))
  return {
    statements: told.flatMap(({ said }) => (typeof said === 'object' ? [said] : [])),
    refusals: told.flatMap(({ name, said }) =>
      typeof said === 'string'
        ? [{ code: 'attestation.unverified', text: `${name}: ${said}` }]
        : [],
    ),
  }
}

function readAttestation(path: string, how: Parameters<typeof verifiedStatement>[2]) {
  const text = readText(path)
  try {
    return verifiedStatement(path, text, how)
  } catch (cause) {
    throw new Unreadable(`${path}: ${firstLine(cause)}`, { cause })
  }
}

function judge(asked: z.infer<typeof command>): readonly Refusal[] {
  const { statements, refusals } = readAttestations(join(asked.evidence, 'attestations'), asked)
  return [
    ...refusals,
    ...refusalsOf({
      pages: readJson(join(asked.evidence, 'pull-request.json'), pullRequestPages),
      pushes: readJson(join(asked.evidence, 'pushes.json'), pushes),
      owners: ownersOf(readText(asked.owners)),
      planSha256: createHash('sha256').update(readFileSync(asked.plan)).digest('hex'),
      statements,
      environment: asked.environment,
      now: asked.now === undefined ? new Date() : new Date(asked.now),
    }),
  ]
}

function readCommand(): z.infer<typeof command> | undefined {
  try {
    return command.parse(parseArgs({ options }).values)
  } catch {
    return undefined
  }
}

function main(): number {
  if (Bun.argv.includes('--help') || Bun.argv.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  const asked = readCommand()
  if (asked === undefined) {
    process.stderr.write(help)
    return 64
  }
  try {
    const refusals = judge(asked)
    for (const { code, text } of refusals) process.stdout.write(`${code}: ${text}\n`)
    if (refusals.length === 0) process.stdout.write(`admitted: ${asked.plan}\n`)
    if (refusals.some(({ unjudged }) => unjudged)) return 2
    return refusals.length === 0 ? 0 : 1
  } catch (error) {
    process.stdout.write(`evidence.unreadable: ${firstLine(error)}\n`)
    return 2
  }
}

process.exitCode = main()
