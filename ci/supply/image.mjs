// An image in a registry, by its digest and by nothing else: a tag is whatever it is today.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { findProgram, must, run } from '../program.mjs'
import { Unjudged, WrongUse } from '../report.mjs'

/** ci/image-build leaves the reference of what it has pushed here, for the steps after it. */
const referencePath = join(root, 'dist', 'image')
const reference = /^(?<repository>\w[\w.-]*(?::\d+)?(?:\/[\w.-]+)+)@(?<digest>sha256:[0-9a-f]{64})$/

export function parseReference(given) {
  const text =
    given ?? (existsSync(referencePath) ? readFileSync(referencePath, 'utf8').trim() : '')
  const groups = text.match(reference)?.groups
  if (groups === undefined) {
    throw new WrongUse(`${text || 'nothing'} is no image: REGISTRY/NAME@sha256:… is`)
  }
  return { text, ...groups }
}

/** Asked first, so that a registry that is away is not taken for an image that nobody signed. */
export async function requireImage({ text, digest }) {
  const crane = await findProgram('crane')
  const found = await run(crane, ['digest', text])
  if (found.code !== 0 || found.out.toString().trim() !== digest) {
    throw new Unjudged(`${text} cannot be had from its registry: ${found.err.trim()}`)
  }
}

/** The file system of an image as an archive; returns what is asked of it without unpacking it. */
export async function exportImage({ text }, path) {
  const crane = await findProgram('crane')
  await must(crane, ['export', text, path])
  return {
    list: async () => (await must('tar', ['-tf', path])).toString().split('\n').filter(Boolean),
    read: (file) => must('tar', ['-xOf', path, file]),
  }
}

export async function sha256OfFile(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
