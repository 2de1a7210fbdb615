import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { GatewayContext } from './context.ts'

export type AnswerHeaders = Readonly<Record<string, string>>

/**
 * Answers with JSON. By `c.body` and never by `new Response`, which would drop the headers that
 * the chain has prepared (rate limit, request id).
 */
export function answer(
  c: GatewayContext,
  status: ContentfulStatusCode,
  value: unknown,
  headers?: AnswerHeaders,
): Response {
  if (headers !== undefined) for (const name in headers) c.header(name, headers[name])
  // As the third argument: Hono would copy an init object's headers twice.
  return c.body(JSON.stringify(value), status, jsonHeaders)
}

const jsonHeaders = { 'content-type': 'application/json' }
