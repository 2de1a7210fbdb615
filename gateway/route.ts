import type { z } from 'zod'
import type { Zone } from '#core/access/principal.ts'
import type { ErrorCode } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Whose requests are refused last and first when there are too many. */
export type Priority = 'first' | 'normal' | 'last'

/** A header as the API page names it; the handler reads it by `c.req.header`. */
export type HeaderDeclaration = {
  readonly name: string
  readonly description: string
  readonly example?: string
}

export type Content = {
  /** Undefined for text that no JSON schema describes. */
  readonly schema: z.ZodType | undefined
  readonly example?: unknown
}

/** An answer other than a problem; its media type is `application/json` unless it says otherwise. */
export type Answer = {
  readonly description: string
  readonly schema?: z.ZodType
  readonly mediaType?: string
  readonly headers?: readonly HeaderDeclaration[]
  readonly example?: unknown
}

/** What a route takes as its body; made by `jsonBody` or `streamBody` in `body.ts`. */
export type BodyDeclaration<Body> = {
  readonly content: Readonly<Record<string, Content>>
  readonly bytesMax: number
  /** Read while it is worked on: it holds no place, and bounds itself. */
  readonly isStream: boolean
  /** Throws 413, 415, 400 or 422 with pointers. */
  read(c: GatewayContext): Body | Promise<Body>
}

export type RouteInput<Params, Query, Body> = {
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/**
 * One operation: what is registered, checked and documented comes from this declaration alone.
 * `Params`, `Query` and `Body` are `undefined` where the route declares none; a query parameter
 * that is not declared is refused.
 */
export type Route<Params = unknown, Query = unknown, Body = unknown> = {
  readonly method: Method
  /** Hono's form, e.g. `/v1/jobs/:id`; also the metric label and, with the method, the rule's name. */
  readonly path: string
  readonly zone: Zone
  /**
   * The scope a token must carry. `undefined` leaves the zone's allowlist as the only guard: for
   * probes and documents, listed one by one in `test/gateway/route-table.test.ts`.
   */
  readonly scope: string | undefined
  readonly summary: string
  readonly description?: string
  /** Unique; the name of the call in a generated client. */
  readonly operationId: string
  readonly params?: z.ZodType<Params>
  readonly query?: z.ZodType<Query>
  readonly headers?: readonly HeaderDeclaration[]
  readonly body?: BodyDeclaration<Body>
  readonly answers: Readonly<Record<number, Answer>>
  /** Codes this operation adds to those that the chain in front of it can give. */
  readonly refusals: readonly ErrorCode[]
  /** Else operators' routes and every DELETE come first, and all others are normal. */
  readonly priority?: Priority
  /** Requests that one commit holds at most, where they share commits. */
  readonly sharedCommit?: number
  /** Registered and guarded, but not in the OpenAPI document. */
  readonly hidden?: boolean
  /** Answers with `answer` (`answer.ts`), throws `PosternError`; synchronous where it can be. */
  handle(c: GatewayContext, input: RouteInput<Params, Query, Body>): Response | Promise<Response>
}

/** The path without the patterns of its parameters: what labels, rules and the API page name. */
export function templateOf(path: string): string {
  return path.replaceAll(/(:\w+)\{[^}]*\}/g, '$1')
}

/** Infers the input's types from the schemas; the result is a `Route` of a route table. */
export function defineRoute<Params = undefined, Query = undefined, Body = undefined>(
  route: Route<Params, Query, Body>,
): Route<Params, Query, Body> {
  return route
}
