// `ci/release`: whether this commit may become a release. It refuses whatever is not known.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { describeTree, readArguments } from './program.mjs'
import { runStep } from './report.mjs'
import { readPins } from './supply/pins.mjs'

const help = `usage: ci/release [v]VERSION

Refuses a release while anything in it is unpinned or unknown: a base without a digest, an action
without a commit, a tree that is not a commit, a commit that carries no tag vVERSION, a version that is
not package.json's, a changelog without it. Nothing is skipped here, on no machine. The steps of a
release are those of .github/workflows/release.yaml, each a script of ci/.

Exit codes: 0 it may, 1 it may not, 64 wrong use.
`

const workflows = '.github/workflows'

function readCommand() {
  return readArguments(
    {},
    ({ positionals }) => {
      const version = (positionals[0] ?? '').replace(/^v/, '')
      if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${version || 'nothing'} is no version`)
      return version
    },
    1,
  )
}

const read = (path) => readFileSync(join(root, path), 'utf8')
const refuse = (text) => ({ severity: 'critical', text })

function unpinnedBases() {
  const dockerfile = read('Dockerfile.distroless')
  const from = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  const pins = readPins(dockerfile)
  const known = ['scratch', ...pins.map(({ argument }) => `\${${argument}}`), `\${BINARY}`]
  return [
    ...pins
      .filter(({ digest }) => digest === undefined)
      .map(({ argument, name }) => refuse(`ARG ${argument}=${name} is unknown: run ci/pin`)),
    ...(pins.length === 2 ? [] : [refuse('ARG BUILD and ARG BASE are not both there')]),
    ...from
      .filter((image) => !known.includes(image))
      .map((image) => refuse(`FROM ${image} is none of the pinned arguments`)),
  ]
}

function unpinnedActions() {
  return readdirSync(join(root, workflows)).flatMap((name) =>
    [...read(join(workflows, name)).matchAll(/^\s*(?:- )?uses:\s*(\S+)/gm)]
      .filter(([, used]) => !/^\.\/|@[0-9a-f]{40}$/.test(used))
      .map(([, used]) => refuse(`${name} uses ${used}, by no commit`)),
  )
}

function commitOf(version) {
  const { commit, isClean } = describeTree()
  const tag = spawnSync('git', ['rev-parse', '--verify', '--quiet', `v${version}^{commit}`], {
    cwd: root,
    encoding: 'utf8',
  })
  return [
    ...(isClean ? [] : [refuse('the tree is not its commit')]),
    ...(tag.stdout.trim() === commit ? [] : [refuse(`this commit carries no tag v${version}`)]),
  ]
}

function versionOf(version) {
  const locked = JSON.parse(read('package-lock.json')).version
  const named = JSON.parse(read('package.json')).version
  const isTold = new RegExp(`^## \\[?${version.replaceAll('.', '\\.')}\\b`, 'm').test(
    read('CHANGELOG.md'),
  )
  return [
    ...(named === version ? [] : [refuse(`package.json says ${named}`)]),
    ...(locked === version ? [] : [refuse(`package-lock.json says ${locked}`)]),
    ...(isTold ? [] : [refuse('CHANGELOG.md says nothing of it')]),
  ]
}

await runStep(
  'release',
  help,
  async ({ check }) => {
    const version = readCommand()
    await check('bases', unpinnedBases)
    await check('actions', unpinnedActions)
    await check('commit', () => commitOf(version))
    await check('version', () => versionOf(version))
  },
  { strict: true },
)
