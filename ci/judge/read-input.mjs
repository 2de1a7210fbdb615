import { readFile } from 'node:fs/promises'
import { ensureTool } from '../tools.mjs'
import { run } from './run.mjs'

/** What conftest reads a file as, by its name. */
const parsers = [
  { parser: 'yaml', names: /\.ya?ml$/ },
  { parser: 'dockerfile', names: /(^|[./])(Docker|Container)file(\.[\w.-]+)?$|\.dockerfile$/ },
  { parser: 'hcl2', names: /\.(tf|hcl)$/ },
]

/** YAML 1.1 ends a line at these too, and what one reader takes for a document another does not. */
const oddLineBreaks = /\r(?!\n)|[\u0085\u2028\u2029]/

/** What cannot be judged; the message holds nothing of a plan. */
class Unreadable extends Error {}

/**
 * The documents of one file as JSON text, or why there are none. A plan is handed on as it is; `-`
 * reads one from stdin, so that `terraform show -json` needs no file.
 */
export async function readInput(path) {
  const file = path === '-' ? 'stdin' : path
  try {
    const text = await textOf(path)
    if (text.trim() === '') throw new Unreadable('it is empty')
    return { file, documents: (await documentsOf(path, text)).flatMap(manifests) }
  } catch (error) {
    if (error instanceof Unreadable) return { file, documents: [], problem: error.message }
    throw error
  }
}

/** A list of manifests is one deployment to main, which asks nothing about each of them. */
function manifests(text) {
  const value = text.trimStart().startsWith('[') ? JSON.parse(text) : undefined
  const isList = Array.isArray(value) && value[0]?.apiVersion !== undefined
  return isList ? value.map((one) => JSON.stringify(one)) : [text]
}

async function textOf(path) {
  try {
    const bytes = path === '-' ? await stdinBytes() : await readFile(path)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    const words = { ENOENT: 'there is no such file', EISDIR: 'it is a folder: name its files' }
    const isBinary = error instanceof TypeError
    const hint = 'it is not text; of a plan: terraform show -json FILE | ci/policy -'
    const why = isBinary ? hint : (words[error.code] ?? `it cannot be read: ${error.code}`)
    throw new Unreadable(why, { cause: error })
  }
}

async function stdinBytes() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function documentsOf(path, text) {
  if (path === '-' || /(?<!\.tf)\.json$/.test(path)) return [checkedJson(text)]
  const parser = parsers.find(({ names }) => names.test(path))?.parser
  if (parser === undefined) throw new Unreadable('by its name it is of no kind that has rules')
  return parser === 'yaml' ? yamlDocuments(text) : parsed(parser, text)
}

function checkedJson(text) {
  try {
    JSON.parse(text)
  } catch {
    // biome-ignore lint/style/useErrorCause: the parser quotes the text, and a plan holds secrets.
    throw new Unreadable('it is not JSON, or is cut off')
  }
  return text
}

async function parsed(parser, text) {
  const conftest = await ensureTool('conftest')
  const { code, stdout, stderr } = await run(conftest, ['parse', '--parser', parser, '-'], {
    input: text,
  })
  const why = stderr.replace(/^Error: parse configurations: (parser unmarshal: )?/, '').trim()
  if (code !== 0) throw new Unreadable(`conftest cannot parse it as ${parser}: ${why}`)
  const value = JSON.parse(stdout)
  // A Dockerfile comes as a list of one list.
  const document = parser === 'dockerfile' ? value[0] : value
  if (document === null || Object.keys(document).length === 0) throw new Unreadable('it is empty')
  return [JSON.stringify(document)]
}

/** conftest loses a document that a comment follows (`--- # two`), so they are parted here. */
async function yamlDocuments(text) {
  if (oddLineBreaks.test(text)) throw new Unreadable('it has line breaks that readers part over')
  const documents = []
  for (const part of splitYaml(text)) documents.push(...(await parsed('yaml', part)))
  if (documents.length === 0) throw new Unreadable('it is empty')
  return documents
}

function splitYaml(text) {
  const parts = [[]]
  for (const line of text.split(/\r?\n/)) {
    if (/^(---|\.\.\.)(\s|$)/.test(line)) parts.push([`   ${line.slice(3)}`.trimEnd()])
    else parts.at(-1).push(line)
  }
  const isSaid = (line) => !/^\s*(#.*)?$/.test(line)
  return parts.filter((lines) => lines.some(isSaid)).map((lines) => `${lines.join('\n')}\n`)
}
