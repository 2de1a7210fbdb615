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
export function validate({ params, query }: Route): MiddlewareHandler<GatewayEnv> {
  const checkQuery = query === undefined ? refuseAnyQuery : queryCheck(query)
  if (params === undefined) return checkQuery
  // Synchronous, where `zValidator` would cost every read of a job another 2.5 µs.
  return function checkParameters(c, next) {
    const result = params.safeParse(c.req.param())
    refuseInvalid(result)
    c.req.addValidatedData('param', Object(result.data))
    return checkQuery(c, next)
  }
}

function queryCheck(schema: z.ZodType): MiddlewareHandler<GatewayEnv> {
  const check: MiddlewareHandler<GatewayEnv> = zValidator('query', schema, refuseInvalid)
  const absent = schema.safeParse({})
  // Most requests have no query, and all of those the same one.
  if (!absent.success) return check
  return function checkQuery(c, next) {
    if (c.req.raw.url.includes('?')) return check(c, next)
    c.req.addValidatedData('query', Object(absent.data))
    return next()
  }
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
