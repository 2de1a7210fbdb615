import { inTime } from '#core/in-time.ts'
import type { Check, CheckGroup, Finding } from './doctor-check.ts'
import { explainFailure } from './doctor-explain.ts'

/**
 * Milliseconds for all of it, whatever hangs: longer than the longest of its own limits, S3's, and short
 * enough for somebody who waits.
 */
export const doctorMsMax = 20_000

export type Result = { readonly check: string } & Finding

const late: Finding = {
  status: 'fail',
  detail: `no answer within ${doctorMsMax / 1_000} s`,
  fix: 'look whether it hangs, and whether a firewall on the way drops packets',
}

/** Makes all groups at once and tells in their order; what has not answered in time has failed. */
export async function* runChecks(groups: readonly CheckGroup[]): AsyncGenerator<Result> {
  const until = performance.now() + doctorMsMax
  const running = groups.map((group) => startGroup(group, until))
  for (const results of running) {
    for (const result of results) yield await result
  }
}

/** One promise for each check, in order; none of them rejects. */
function startGroup({ checks, restOnFirst }: CheckGroup, until: number): Promise<Result>[] {
  const results: Promise<Result>[] = []
  for (const check of checks) {
    const [first] = results
    const before = results.at(-1)
    results.push(runAfter(check, { before, first: restOnFirst ? first : undefined, until }))
  }
  return results
}

async function runAfter(
  check: Check,
  turn: {
    readonly before: Promise<Result> | undefined
    readonly first: Promise<Result> | undefined
    readonly until: number
  },
): Promise<Result> {
  const { name } = check
  await turn.before
  const first = await turn.first
  if (first?.status === 'fail') {
    return { check: name, status: 'skip', detail: `${first.check} comes first` }
  }
  const left = Math.max(0, turn.until - performance.now())
  const isLate = new Error('late')
  try {
    return { check: name, ...(await inTime(Promise.resolve(check.run()), left, () => isLate)) }
  } catch (error) {
    return { check: name, ...(error === isLate ? late : await explainFailure(error, check)) }
  }
}
