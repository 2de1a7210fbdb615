// `ci/plan`: the plan that people will read, judged, signed and sealed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, findProgram, must, parseReport, readArguments, run } from './program.mjs'
import { runStep, say, Unjudged } from './report.mjs'
import { withSigner } from './supply/cosign.mjs'
import { imagesOf, taggedRatioOf, violationsOf } from './supply/plan-facts.mjs'
import { seal } from './supply/seal.mjs'

const help = `usage: ci/plan ENVIRONMENT --root FOLDER --repository OWNER/NAME --pull-request N
                --image REGISTRY/NAME --image-signer IDENTITY [--out FOLDER] [--key FILE]

Plans the Terraform root, has ci/verify look at each image that it names (REGISTRY/NAME by its digest, signed
by IDENTITY, a workflow's URL or a key file) and ci/policy judge it with those that are admitted, signs what it is and what the verdict was (keyless, or
with --key), and leaves in FOLDER (dist/plan): plan.sealed, which only POSTERN_PLAN_KEY opens, and
attestations/. Whoever approves the pull request puts the SHA-256 into the review.

Exit codes: 0 allowed, 1 denied, 2 not planned or not judged, 64 wrong use.
`

const names = ['root', 'repository', 'pull-request', 'image', 'image-signer']
const base = 'https://postern.example/attestation'

function readCommand() {
  const text = { type: 'string' }
  const options = {
    ...Object.fromEntries([...names, 'key'].map((name) => [name, text])),
    out: { type: 'string', default: join(root, 'dist', 'plan') },
  }
  return readArguments(
    options,
    ({ values, positionals }) => {
      const missing = names.filter((name) => values[name] === undefined)
      if (positionals.length !== 1 || missing.length > 0) {
        throw new Error(`name an environment, ${names.map((name) => `--${name}`).join(', ')}`)
      }
      return { ...values, environment: positionals[0] }
    },
    1,
  )
}

async function makePlan({ root: folder }, work) {
  const terraform = await findProgram('terraform', 'https://developer.hashicorp.com/terraform')
  const at = `-chdir=${resolve(folder)}`
  const path = join(work, 'plan.bin')
  await must(terraform, [at, 'init', '-input=false', '-no-color'])
  await must(terraform, [
    at,
    'plan',
    '-input=false',
    '-no-color',
    '-lock-timeout=60s',
    `-out=${path}`,
  ])
  const json = await must(terraform, [at, 'show', '-json', path])
  return { path, json, plan: parseReport('terraform show', json) }
}

/** Of the images that would run, those that are ours; of the others the policy says what it thinks. */
async function signedImages(plan, { image, 'image-signer': signer }) {
  const signed = []
  for (const digest of imagesOf(plan)) {
    const verify = join(root, 'ci', 'verify')
    const by = signer.startsWith('https://') ? '--identity' : '--key'
    const result = await run(verify, [`${image}@${digest}`, by, signer])
    if (result.code === 0) signed.push(digest)
    else say(`${image}@${digest} is not admitted: ci/verify ${complaint(result)}`)
  }
  return signed
}

async function judge({ json, plan }, command) {
  const policy = join(root, 'ci', 'policy')
  if (!existsSync(policy)) throw new Unjudged('ci/policy is not there to judge the plan')
  const signed = (await signedImages(plan, command)).flatMap((digest) => ['--signed', digest])
  const args = ['--json', '--environment', command.environment, ...signed, '-']
  const result = await run(policy, args, { input: json })
  if (result.code > 1) throw new Unjudged(`ci/policy ${complaint(result)}`)
  return parseReport('ci/policy', result.out)
}

async function attest({ path, out, work, signer }, [name, predicate]) {
  const file = join(work, `${name}.predicate.json`)
  writeFileSync(file, JSON.stringify(predicate))
  const bundle = join(out, 'attestations', `${name}.json`)
  const about = ['--predicate', file, '--type', `${base}/${name}/v1`, '--bundle', bundle]
  await must(signer.program, ['attest-blob', ...signer.args, ...about, path])
}

async function signAndSeal(made, verdict, { command, work }) {
  const { repository, environment, out } = command
  const head = await must('git', ['-C', resolve(command.root), 'rev-parse', 'HEAD'])
  const commit = head.toString().trim()
  mkdirSync(join(out, 'attestations'), { recursive: true })
  const plan = {
    ...{ repository, commit, environment, pullRequest: Number(command['pull-request']) },
    ...{ createdAt: new Date().toISOString(), images: imagesOf(made.plan) },
  }
  const policy = { verdict: verdict.verdict, exitCode: verdict.exitCode, environment }
  await withSigner(command, async (signer) => {
    const context = { path: made.path, out, work, signer }
    await attest(context, ['plan', plan])
    await attest(context, ['policy', policy])
  })
  writeFileSync(join(out, 'plan.sealed'), seal(readFileSync(made.path)))
}

await runStep(
  'plan',
  help,
  async ({ check, note, gauge }) => {
    const command = readCommand()
    const work = mkdtempSync(join(tmpdir(), 'postern-plan-'))
    try {
      let made
      const isMade = await check('terraform', async () => {
        made = await makePlan(command, work)
      })
      if (!isMade) return
      await check('policy', async () => {
        const verdict = await judge(made, command)
        const violations = [...violationsOf(verdict)]
        for (const [rule, count] of violations) gauge('postern_policy_violations', { rule }, count)
        const ratio = taggedRatioOf(made.plan)
        if (ratio !== null) gauge('postern_tagged_ratio', {}, ratio)
        await signAndSeal(made, verdict, { command, work })
        const sha256 = createHash('sha256').update(readFileSync(made.path)).digest('hex')
        note('sha256', sha256)
        say(`an approval names this plan: ${sha256}`)
        if (verdict.exitCode > 1) throw new Unjudged(`ci/policy could not judge the plan`)
        const denied = violations.map(([rule, count]) => `${rule} denies ${count}`)
        return verdict.exitCode === 0
          ? []
          : [{ severity: 'high', text: denied.join(', ') || 'the plan is denied' }]
      })
    } finally {
      rmSync(work, { recursive: true })
    }
  },
  { strict: true },
)
