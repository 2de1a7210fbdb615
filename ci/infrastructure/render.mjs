// What `kubectl apply -k` would send of deploy/kubernetes, rendered by kustomize.
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { complaint, findProgram, run } from '../program.mjs'
import { Unjudged } from '../report.mjs'

export const overlays = ['dev', 'staging', 'prod']

const folder = join(root, 'deploy', 'kubernetes')
/** What stands in an overlay until ci/pin has looked the digest up. */
const notPinned = 'sha256:not-pinned'
/** Of nothing, and plainly so. */
const standIn = `sha256:${'0'.repeat(64)}`

/**
 * Each overlay, and the policies of the cluster: `{ name, text, documents }`. What does not render is
 * a finding and no tool that is missing.
 */
export async function renderAll() {
  const kustomize = await findProgram('kustomize')
  const places = overlays.map((name) => [name, join(folder, 'overlays', name)])
  const [rendered, findings] = [[], []]
  for (const [name, path] of [...places, ['policy', join(folder, 'policy')]]) {
    const result = await run(kustomize, ['build', path])
    if (result.code !== 0) {
      findings.push({ severity: 'high', text: `${name} ${complaint(result)}` })
      continue
    }
    const text = result.out.toString()
    rendered.push({ name, text, documents: documentsOf(text, name) })
  }
  return { rendered, findings }
}

/** The documents of what kustomize has written, which puts nothing but `---` between them. */
export function documentsOf(text, name) {
  const parts = text.split(/^---$/m).filter((part) => part.trim() !== '')
  if (parts.length === 0) throw new Unjudged(`nothing was rendered of ${name}`)
  return parts.map((part) => {
    const [, apiVersion] = part.match(/^apiVersion: (\S+)$/m) ?? []
    const [, kind] = part.match(/^kind: (\S+)$/m) ?? []
    if (!apiVersion || !kind) throw new Unjudged(`a document of ${name} has no kind`)
    return { apiVersion, kind }
  })
}

/** The same with a digest where none is pinned yet: all the rest has to pass by itself. */
export function withDigest({ text }) {
  return text.replaceAll(notPinned, standIn)
}

export function isPinned({ text }) {
  return !text.includes(notPinned)
}
