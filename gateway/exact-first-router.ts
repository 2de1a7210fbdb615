import type { Result, Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'

/**
 * A literal path before a pattern: `/v1/jobs/score-wallet` is never an id. Hono's fastest router
 * takes the two kinds only apart; together they would fall to one that costs 3 µs more a request.
 */
export function exactFirstRouter<Handler>(): Router<Handler> {
  const exact = new RegExpRouter<Handler>()
  const patterns = new RegExpRouter<Handler>()
  const exactPaths = new Set<string>()

  function add(method: string, path: string, handler: Handler): void {
    const isForAll = path.includes('*')
    const isPattern = path.includes(':')
    if (!isForAll && !isPattern) exactPaths.add(path)
    if (isForAll || isPattern) patterns.add(method, path, handler)
    if (isForAll || !isPattern) exact.add(method, path, handler)
  }

  function match(method: string, path: string): Result<Handler> {
    return (exactPaths.has(path) ? exact : patterns).match(method, path)
  }

  return { name: 'ExactFirstRouter', add, match }
}
