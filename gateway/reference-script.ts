import entry from '@scalar/fastify-api-reference' with { type: 'file' }
import { invariant } from '#core/invariant.ts'

const opening = 'var standalone_default = '
const ending = ';'

/**
 * Scalar's browser bundle. As a file of its own it comes only with `@scalar/api-reference`, which
 * installs 284 packages and 311 MB to build what it already is; the plugin for Fastify (16 packages,
 * 24 MB) holds the same as a string literal on a line of its entry.
 */
export async function readReferenceScript(): Promise<string> {
  const lines = (await Bun.file(entry).text()).split('\n')
  const line = lines.find((candidate) => candidate.startsWith(opening))
  invariant(line?.endsWith(ending) === true, 'the package holds the bundle as one literal')
  const literal = line.slice(opening.length, -ending.length)
  // In JavaScript a literal may hold control characters, in JSON it may not.
  const script: unknown = JSON.parse(literal.replaceAll(/\p{Cc}/gu, escapeControl))
  invariant(typeof script === 'string', 'a literal in quotes is a string')
  return script
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
