import { zValidator } from '@hono/zod-validator'
import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { GatewayEnv } from './context.ts'
import { pointedErrors } from './pointed-errors.ts'
import type { Route } from './route.ts'

/** The context behind `validate`: what zod made of the path's and the query's parameters. */
export type CheckedContext = Context<
  GatewayEnv,
  string,
  { out: { param: unknown; query: unknown } }
>

/**
 * Checks parameters of path and query. Never zod's own answer: it is no problem document and
 * repeats what was sent. Bodies are checked where they are read (`body.ts`).
 */
export function validate(route: Route): MiddlewareHandler<GatewayEnv>[] {
  const checks: MiddlewareHandler<GatewayEnv>[] = []
  if (route.params !== undefined) checks.push(zValidator('param', route.params, refuseInvalid))
  if (route.query === undefined) checks.push(refuseAnyQuery)
  else checks.push(zValidator('query', route.query, refuseInvalid))
  return checks
}

function refuseInvalid(
  result:
    | { readonly success: true }
    | { readonly success: false; readonly error: z.core.$ZodError },
): void {
  if (result.success) return
  throw new PosternError('request.query_invalid', { errors: pointedErrors(result.error) })
}

/** Ignoring a filter it does not know, a list would answer with everything. */
const refuseAnyQuery: MiddlewareHandler<GatewayEnv> = function refuseAnyQuery(c, next) {
  if (!c.req.raw.url.includes('?')) return next()
  throw new PosternError('request.query_invalid', { detail: 'This route takes no parameters.' })
}
