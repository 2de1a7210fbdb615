// How the image came about, as SLSA 1.2 wants it said. On a laptop it says laptop.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bun, root } from '../dependencies.mjs'
import { describeTree } from '../program.mjs'
import { sha256OfFile } from './image.mjs'
import { lockPath } from './lock.mjs'
import { readPins } from './pins.mjs'

const buildType = 'https://postern.example/build/image/v1'

export async function provenanceOf(env = process.env) {
  const { commit, isClean } = describeTree()
  const repository = `${env.GITHUB_SERVER_URL ?? 'file:'}/${env.GITHUB_REPOSITORY ?? 'postern'}`
  const isOnGitHub = env.GITHUB_WORKFLOW_REF !== undefined
  const run = `${repository}/actions/runs/${env.GITHUB_RUN_ID}/attempts/${env.GITHUB_RUN_ATTEMPT}`
  const bases = readPins(readFileSync(join(root, 'Dockerfile.distroless'), 'utf8'))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    buildDefinition: {
      buildType,
      externalParameters: {
        source: { uri: `git+${repository}`, digest: { gitCommit: commit }, clean: isClean },
        ref: env.GITHUB_REF ?? 'unknown',
        version,
      },
      resolvedDependencies: [
        { uri: `git+${repository}`, digest: { gitCommit: commit } },
        { uri: 'package-lock.json', digest: { sha256: await sha256OfFile(lockPath) } },
        { uri: 'bun', digest: { sha256: await sha256OfFile(bun) } },
        ...bases
          .filter(({ digest }) => digest !== undefined)
          .map(({ name, digest }) => ({
            uri: `docker://${name}`,
            digest: { sha256: digest.replace('sha256:', '') },
          })),
      ],
    },
    runDetails: {
      builder: {
        id: isOnGitHub
          ? `${env.GITHUB_SERVER_URL}/${env.GITHUB_WORKFLOW_REF}`
          : `${buildType}/laptop`,
      },
      metadata: isOnGitHub ? { invocationId: run } : {},
    },
  }
}
