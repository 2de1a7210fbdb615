import type { Metrics } from '../metrics.ts'
import { errorTypeOf, type TraceSpan, type Tracing } from '../trace/tracing.ts'

export type CommitName = 'accept' | 'order' | 'outcome' | 'effect' | 'intent' | 'report'

/** To whom a commit is told of; where nobody listens nothing is measured. */
export type CommitObserver = {
  readonly metrics?: Metrics | undefined
  readonly tracing?: Tracing | undefined
}

/**
 * The same commit, told of: how many shared it, for how long, and in the trace of each of them: a
 * span has one parent, so that what many share is one span in each of their traces.
 */
export function observedCommit<Item, Result>(
  { metrics, tracing }: CommitObserver,
  told: { readonly name: CommitName; readonly traceOf?: (item: Item) => string | undefined },
  commit: (items: readonly Item[]) => Promise<Result>,
): (items: readonly Item[]) => Promise<Result> {
  const { name, traceOf } = told
  if (metrics === undefined && tracing === undefined) return commit
  return async (items) => {
    const startedMs = performance.now()
    const spans =
      tracing === undefined || traceOf === undefined
        ? []
        : beginCommits(tracing, name, items.map(traceOf))
    try {
      const result = await commit(items)
      metrics?.commitSeconds.observe({ commit: name }, (performance.now() - startedMs) / 1_000)
      metrics?.commitItems.observe({ commit: name }, items.length)
      for (const span of spans) span.end()
      return result
    } catch (error) {
      for (const span of spans) span.fail(errorTypeOf(error))
      throw error
    }
  }
}

function beginCommits(
  tracing: Tracing,
  name: CommitName,
  parents: readonly (string | undefined)[],
): readonly TraceSpan[] {
  const fields = { 'postern.commit': name, 'postern.batch.items': parents.length }
  return parents.flatMap((parent) => tracing.begin('commit', parent, fields) ?? [])
}
