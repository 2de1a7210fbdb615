import { zValidator } from '@hono/zod-validator'
import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { GatewayEnv } from './context.ts'
import { pointedErrors } from './pointed-errors.ts'
import type { Route } from './route.ts'
import type { Step } from './step.ts'

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
export function validate({ params, query }: Route): Step {
  const checkQuery = query === undefined ? refuseAnyQuery : queryCheck(query)
  if (params === undefined) return checkQuery
  // Synchronous, where `zValidator` would cost every read of a job another 2.5 µs.
  return function checkParameters(c) {
    const result = params.safeParse(c.req.param())
    refuseInvalid(result)
    c.req.addValidatedData('param', Object(result.data))
    return checkQuery(c)
  }
}

function queryCheck(schema: z.ZodType): Step {
  const validator: MiddlewareHandler<GatewayEnv> = zValidator('query', schema, refuseInvalid)
  const check: Step = async (c) => {
    await validator(c, proceed)
  }
  const absent = schema.safeParse({})
  // Most requests have no query, and all of those the same one.
  if (!absent.success) return check
  return function checkQuery(c) {
    if (c.req.raw.url.includes('?')) return check(c)
    c.req.addValidatedData('query', Object(absent.data))
  }
}

async function proceed(): Promise<void> {
  // Nothing follows: the steps go on by themselves.
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
const refuseAnyQuery: Step = function refuseAnyQuery(c) {
  if (!c.req.raw.url.includes('?')) return
  throw new PosternError('request.query_invalid', { detail: 'This route takes no parameters.' })
}
