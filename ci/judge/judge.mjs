import { evaluate } from './evaluate.mjs'
import { readInput } from './read-input.mjs'
import { severities } from './rules.mjs'

export const exitCodes = { allowed: 0, denied: 1, unjudged: 2 }

const unused = 'A waiver covers nothing'

/**
 * Judges each document of each file by itself, and those of Kubernetes together as well, unless they
 * are to stay `apart`; what cannot be read has a problem and no report.
 */
export async function judge(paths, options) {
  const inputs = []
  for (const path of paths) inputs.push(await readInput(path))
  const documents = inputs.flatMap((input) => input.documents)
  const answers = documents.length === 0 ? [] : await evaluate(documents, options)
  let next = 0
  const judgements = inputs.flatMap(({ file, documents: own, problem }) => {
    if (problem !== undefined) return [{ file, problem }]
    const number = (at) => (own.length === 1 ? undefined : at + 1)
    return own.map((_document, at) => ({ file, document: number(at), ...answers[next++] }))
  })
  const isOfKubernetes = (_document, at) => answers[at].report?.kind === 'kubernetes'
  const manifests = documents.filter(isOfKubernetes)
  if (options.apart || manifests.length === 0) return withoutNoise(judgements)
  const [whole] = await evaluate([`[${manifests.join(',')}]`], options)
  const { file } = judgements.find(({ report }) => report?.kind === 'kubernetes')
  return withoutNoise([...judgements, { file, together: manifests.length, ...whole }])
}

/** A waiver is for one object; that the others of a kind do not need it is no news. */
function withoutNoise(judgements) {
  const told = new Set()
  const reports = judgements.flatMap(({ report }) => (report === undefined ? [] : [report]))
  const isSame = (a, b) => a.title === unused && a.msg === b.msg && a.address === b.address
  const isEverywhere = (result, kind) =>
    reports
      .filter((report) => report.kind === kind)
      .every(({ results }) => results.some((other) => isSame(other, result)))
  const isNews = (result, kind) => {
    if (result.title !== unused) return true
    const key = `${result.msg} ${result.address}`
    if (told.has(key) || !isEverywhere(result, kind)) return false
    told.add(key)
    return true
  }
  return judgements.map((judgement) => {
    if (judgement.report === undefined) return judgement
    const { kind, results } = judgement.report
    const news = results.map((result) => isNews(result, kind))
    return {
      ...judgement,
      report: { ...judgement.report, results: results.filter((_result, at) => news[at]) },
    }
  })
}

/** What comes of it all: one file that could not be judged outweighs every denial. */
export function verdictOf(judgements, failOn = 'low') {
  const results = judgements.flatMap(({ report }) => report?.results ?? [])
  const denials = results.filter(({ outcome }) => outcome !== 'warn')
  const isCounted = ({ severity }) => severities.indexOf(severity) <= severities.indexOf(failOn)
  const counted = denials.filter(isCounted)
  const problems = judgements.filter(
    ({ report, problem }) => problem !== undefined || report.defects.length > 0,
  )
  const judged = judgements.flatMap(({ report }) => Object.values(report?.judged ?? {}))
  const judgedSum = judged.reduce((sum, count) => sum + count, 0)
  const word = wordOf({ problems, judgedSum, counted })
  return {
    word,
    exitCode: exitCodes[word],
    denied: counted.length,
    belowFailOn: denials.length - counted.length,
    unjudged: problems.length,
    judged: judgedSum,
  }
}

function wordOf({ problems, judgedSum, counted }) {
  if (problems.length > 0 || judgedSum === 0) return 'unjudged'
  return counted.length > 0 ? 'denied' : 'allowed'
}
