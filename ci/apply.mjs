// `ci/apply`: applies the very file that ci/apply-gate has admitted, and settles the state.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, findProgram, must, parseReport, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { imagesOf } from './supply/plan-facts.mjs'

const help = `usage: ci/apply ENVIRONMENT --root FOLDER --plan FILE

Run it after ci/apply-gate, in the same job. Terraform refuses a plan once the state has moved. After it
the state is refreshed, if ci/policy allows the plan that comes next: else that is full of what nobody
did. Exit codes: 0, 1 what the refresh shows is denied, 2 not applied, 64 wrong use.
`

function readCommand() {
  return readArguments(
    { root: { type: 'string' }, plan: { type: 'string' } },
    ({ values, positionals: [environment] }) => {
      if (!environment || !values.root || !values.plan) {
        throw new Error('name an environment, --root and --plan')
      }
      return { environment, folder: resolve(values.root), plan: resolve(values.plan) }
    },
    1,
  )
}

/** Those of the plan that the gate has admitted; what a refresh shows besides is nobody's word. */
async function admittedImages(terraform, at, plan) {
  const json = await must(terraform, [at, 'show', '-json', plan])
  return imagesOf(parseReport('terraform show', json))
}

async function settle(terraform, at, { environment, images }) {
  const work = mkdtempSync(join(tmpdir(), 'postern-settle-'))
  try {
    const [path, whole] = ['settle.bin', 'whole.bin'].map((name) => join(work, name))
    const quiet = ['-input=false', '-no-color']
    await must(terraform, [at, 'plan', '-refresh-only', ...quiet, `-out=${path}`])
    // A plan that only refreshes says nothing of what has not drifted, and no rule could judge it.
    await must(terraform, [at, 'plan', ...quiet, `-out=${whole}`])
    const input = await must(terraform, [at, 'show', '-json', whole])
    const judge = join(root, 'ci', 'policy')
    const signed = images.flatMap((digest) => ['--signed', digest])
    const judged = await run(judge, ['--environment', environment, ...signed, '-'], { input })
    if (judged.code > 1) throw new Unjudged(`ci/policy ${complaint(judged)}`)
    if (judged.code === 1) {
      return [{ severity: 'high', text: `the refresh shows what is not allowed:\n${judged.out}` }]
    }
    await must(terraform, [at, 'apply', '-input=false', '-no-color', path])
    return []
  } finally {
    rmSync(work, { recursive: true })
  }
}

await runStep(
  'apply',
  help,
  async ({ check }) => {
    const { environment, folder, plan } = readCommand()
    const at = `-chdir=${folder}`
    let images = []
    const isApplied = await check('terraform', async () => {
      const terraform = await findProgram('terraform', 'https://developer.hashicorp.com/terraform')
      await must(terraform, [at, 'init', '-input=false', '-no-color'])
      images = await admittedImages(terraform, at, plan)
      await must(terraform, [at, 'apply', '-input=false', '-no-color', plan], { minutesMax: 60 })
    })
    if (!isApplied) return
    const about = { environment, images }
    await check('settle', async () => settle(await findProgram('terraform'), at, about))
  },
  { strict: true },
)
