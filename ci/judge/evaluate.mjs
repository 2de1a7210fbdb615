import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { ensureTool } from '../tools.mjs'
import { run } from './run.mjs'

export const policyFolder = join(root, 'policy')

/** A failure of one that opa words with the value it has met is told without it. */
const valueCodes = ['eval_builtin_error', 'eval_conflict_error', 'eval_internal_error']

/**
 * What data.main.report says of each document, by its index, or why it says nothing. All of them in
 * one process; only when that fails, each alone, so that the one at fault is named.
 */
export async function evaluate(documents, options) {
  const { reports, problem } = await evaluateTogether(documents, options)
  if (problem === undefined) return documents.map((_document, at) => checked(reports[at]))
  if (documents.length === 1) return [{ problem }]
  const alone = []
  for (const document of documents) alone.push(...(await evaluate([document], options)))
  return alone
}

function evaluateTogether(documents, { policy = policyFolder, environment, signed = [] }) {
  const given = [
    environment !== undefined && `data.asked.environment as ${JSON.stringify(environment)}`,
    signed.length > 0 && `data.given.signed_images as ${JSON.stringify(signed)}`,
  ]
  const words = given.flatMap((word) => (word === false ? [] : [` with ${word}`])).join('')
  const query = `{at: said | one := input[at]; said := data.main.report with input as one${words}}`
  return queryPolicy(query, `[${documents.join(',')}]`, policy)
}

/** The value of a query over the policy without its tests; a built-in's error is one of the query. */
export async function queryPolicy(query, input, policy = policyFolder) {
  const opa = await ensureTool('opa')
  const flags = ['--strict-builtin-errors', '--bundle', policy, '--ignore', '*_test.rego']
  const args = ['eval', ...flags, '--stdin-input', '--format', 'json', query]
  const { code, stdout, stderr } = await run(opa, args, { input })
  const answer = parseAnswer(stdout)
  const value = answer?.result?.[0]?.expressions?.[0]?.value
  if (code === 0 && value !== undefined) return { reports: value }
  const errors = answer?.errors?.map(wordsOf)
  return { problem: errors?.join('\n') ?? (stderr.trim() || `opa ended with ${code}`) }
}

function parseAnswer(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function wordsOf({ code, message, location }) {
  const place = location === undefined ? '' : `${location.file}:${location.row}: `
  if (!valueCodes.includes(code)) return `${place}${message}`
  return `${place}${code}: ${message.split(':')[0]}`
}

/** A report that is not whole, or contradicts itself, is none. */
function checked(report) {
  if (report === undefined) return { problem: 'data.main.report is undefined' }
  const lists = ['results', 'defects', 'answered', 'waived']
  const isWhole =
    typeof report.allow === 'boolean' && lists.every((key) => Array.isArray(report[key]))
  if (!isWhole) return { problem: 'data.main.report is not whole' }
  const isDenied = report.results.some(({ outcome }) => outcome !== 'warn')
  const isClear = report.answered.length > 0 && report.defects.length === 0 && !isDenied
  if (report.allow !== isClear) return { problem: 'data.main.report contradicts itself' }
  return { report }
}
