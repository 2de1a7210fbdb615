// `ci/apply-evidence`: brings together what ci/apply-gate decides on. It decides nothing.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { findProgram, must, parseReport, readArguments } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { unseal } from './supply/seal.mjs'

const help = `usage: ci/apply-evidence --repository OWNER/NAME --pull-request N --plan-run ID --image NAME [--out FOLDER]

Asks GitHub (gh, GH_TOKEN) for the pull request with its reviews, who moved its branch, and the artifact
"plan" of run ID; opens the plan with POSTERN_PLAN_KEY; asks the registry for what is attested of each
image REGISTRY/NAME that the plan names. All of it lies in FOLDER (dist/evidence) then, as ci/apply-gate
reads it. Exit codes: 0, 2 something could not be had, 64 wrong use.
`

const query = `query ($owner: String!, $name: String!, $number: Int!, $endCursor: String) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    pullRequest(number: $number) {
      number state isDraft baseRefName headRefName headRefOid
      headRepository { nameWithOwner }
      author { __typename login }
      reviews(first: 100, after: $endCursor) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { author { __typename login } state submittedAt commit { oid } body }
      }
    }
  }
}`
const names = ['repository', 'pull-request', 'plan-run', 'image']
const gh = 'https://cli.github.com'

function readCommand() {
  const options = {
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    out: { type: 'string', default: join(root, 'dist', 'evidence') },
  }
  return readArguments(options, ({ values }) => {
    const missing = names.filter((name) => !values[name])
    if (missing.length > 0) throw new Error(`missing: --${missing.join(', --')}`)
    if (!/^[\w.-]+\/[\w.-]+$/.test(values.repository)) throw new Error('--repository OWNER/NAME')
    for (const name of ['pull-request', 'plan-run']) {
      if (!/^\d+$/.test(values[name])) throw new Error(`--${name} is a number`)
    }
    return values
  })
}

async function askGitHub({ repository, 'pull-request': number, out }) {
  const program = await findProgram('gh', gh)
  const [owner, name] = repository.split('/')
  const fields = ['-F', `owner=${owner}`, '-F', `name=${name}`, '-F', `number=${number}`]
  const graphql = ['api', 'graphql', '--paginate', '--slurp', '-f', `query=${query}`]
  const pages = await must(program, [...graphql, ...fields])
  writeFileSync(join(out, 'pull-request.json'), pages)
  const pull = parseReport('gh', pages)[0]?.data?.repository?.pullRequest
  if (!pull) throw new Unjudged(`${repository} has no pull request ${number}`)
  const ref = encodeURIComponent(`refs/heads/${pull.headRefName}`)
  const activity = `repos/${repository}/activity?per_page=100&ref=${ref}`
  writeFileSync(join(out, 'pushes.json'), await must(program, ['api', activity]))
}

async function fetchPlan({ repository, 'plan-run': run, out }) {
  const program = await findProgram('gh', gh)
  const where = ['--repo', repository, '--name', 'plan', '--dir', out]
  await must(program, ['run', 'download', run, ...where])
  writeFileSync(join(out, 'plan.bin'), unseal(readFileSync(join(out, 'plan.sealed'))))
}

/** The plan's own attestation says which images; whether it is true the gate finds out. */
function imagesNamed(out) {
  const bundle = JSON.parse(readFileSync(join(out, 'attestations', 'plan.json'), 'utf8'))
  const { payload } = bundle.dsseEnvelope ?? bundle
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString())
  return predicate.images ?? []
}

async function fetchAttestations({ out, image }) {
  const images = imagesNamed(out)
  if (images.length === 0) return
  const cosign = await findProgram('cosign')
  for (const digest of images) {
    const found = await must(cosign, ['download', 'attestation', `${image}@${digest}`])
    const lines = found
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    for (const [at, line] of lines.entries()) {
      writeFileSync(join(out, 'attestations', `${digest.slice(7, 19)}-${at}.json`), line)
    }
  }
}

await runStep(
  'apply-evidence',
  help,
  async ({ check, note }) => {
    const command = readCommand()
    mkdirSync(command.out, { recursive: true })
    await check('github', () => askGitHub(command))
    if (!(await check('plan', () => fetchPlan(command)))) return
    await check('images', () => fetchAttestations(command))
    note('files', readdirSync(command.out))
  },
  { strict: true },
)
