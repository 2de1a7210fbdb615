// `ci/reproducible`: two builds that share nothing but the commit give the same bytes.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, describeTree, must, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { sha256OfFile } from './supply/image.mjs'

const help = `usage: ci/reproducible

Takes the commit out twice, installs what is locked and builds it, in folders, time zones, languages and
homes that differ, one after the other, and compares SHA-256. What is not committed is not built. The
binary is left as dist/postern, its hash in the JSON line. A package that is not in npm's cache is fetched.

Exit codes: 0 the same, 1 not the same, 2 not judged, 64 wrong use.
`

const surroundings = [
  { TZ: 'UTC', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
  { TZ: 'Pacific/Chatham', LANG: 'C', LC_ALL: 'C' },
]

/** What decides where npm, Git and programs are; nothing else of the environment gets in. */
const passedOn = ['PATH', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'NO_PROXY']

async function build(folder, at, commit) {
  const tree = join(folder, `${'x'.repeat(1 + at * 20)}`, 'tree')
  mkdirSync(tree, { recursive: true })
  const archive = await must('git', ['archive', '--format=tar', commit])
  await must('tar', ['-x', '-C', tree], { input: archive })
  const own = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]))
  const npm = {
    npm_config_cache: (await must('npm', ['config', 'get', 'cache'])).toString().trim(),
    npm_config_registry: (await must('npm', ['config', 'get', 'registry'])).toString().trim(),
    npm_config_prefer_offline: 'true',
  }
  const env = { ...own, ...npm, ...surroundings[at], HOME: join(folder, `home-${at}`) }
  const result = await run('node', ['ci/with-bun.mjs', 'ci/build.ts', '--commit', commit], {
    cwd: tree,
    env,
  })
  if (result.code !== 0) throw new Unjudged(`build ${at + 1} ${complaint(result)}`)
  return join(tree, 'dist', 'postern')
}

await runStep('reproducible', help, async ({ check, note }) => {
  readArguments({})
  const { commit } = describeTree()
  const folder = mkdtempSync(join(tmpdir(), 'postern-builds-'))
  try {
    await check('bun', async () => {
      const binaries = [await build(folder, 0, commit), await build(folder, 1, commit)]
      const [first, second] = await Promise.all(binaries.map(sha256OfFile))
      note('sha256', first)
      if (first !== second) {
        return [{ severity: 'critical', text: `of ${commit}: ${first} and ${second}` }]
      }
      mkdirSync(join(root, 'dist'), { recursive: true })
      copyFileSync(binaries[0], join(root, 'dist', 'postern'))
      return []
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
