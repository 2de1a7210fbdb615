import type { Problem } from './operations.ts'

/** What goes wrong on the way to the server and back; everything else is the server's own code. */
export type ClientCode =
  | 'client.unreachable'
  | 'client.timed_out'
  | 'client.redirected'
  | 'client.answer_unexpected'
  | 'client.answer_too_large'
  | 'client.stream_cut'
  | 'client.token_unusable'

export type ProblemCode = Problem['code'] | ClientCode

export type PosternProblemOptions = {
  readonly code: ProblemCode
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number
  readonly title: string
  readonly detail?: string | undefined
  /** Names the request in the server's logs and audit records. */
  readonly requestId?: string | undefined
  readonly errors?: Problem['errors'] | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: Error | undefined
}

/** An RFC 9457 problem of the server, or of the way there. No member holds the token. */
export class PosternProblem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly detail: string | undefined
  readonly requestId: string | undefined
  /** What is wrong with a body, by JSON pointer. */
  readonly errors: NonNullable<Problem['errors']>
  readonly retryAfterSeconds: number | undefined

  constructor(options: PosternProblemOptions) {
    const { code, status, title, detail, requestId, errors = [], cause } = options
    const words = [code, detail ?? title, ...(requestId === undefined ? [] : [`(${requestId})`])]
    super(words.join(' '), cause === undefined ? undefined : { cause })
    this.name = 'PosternProblem'
    this.code = code
    this.status = status
    this.detail = detail
    this.requestId = requestId
    this.errors = errors
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** What a text of somebody else may come to in an error. */
const textCharactersMax = 500
const errorsMax = 100

/** A proxy's debug page, or a fault of the runtime, may repeat what was sent. */
export function withoutToken(text: string, token: string): string {
  return text.replaceAll(token, '[token]').slice(0, textCharactersMax)
}

/** The problem that an answer is, whatever it holds. */
export function problemIn(response: Response, text: string, token: string): PosternProblem {
  const { status, headers } = response
  const retryAfterSeconds = secondsIn(headers.get('retry-after'))
  const said = headers.get('x-request-id')
  const common = {
    status,
    retryAfterSeconds,
    requestId: said === null ? undefined : withoutToken(said, token),
  }
  const problem = parseProblem(response, text)
  if (problem === undefined) return unexpected(common, 'what is no problem of Postern')
  const detail = textOf(problem['detail'])
  return new PosternProblem({
    ...common,
    code: codeOf(problem['code']),
    title: withoutToken(textOf(problem['title']) ?? 'Refused', token),
    detail: detail === undefined ? undefined : withoutToken(detail, token),
    errors: errorsOf(problem['errors'], token),
  })
}

export function unexpected(
  common: Pick<PosternProblemOptions, 'status' | 'requestId' | 'retryAfterSeconds'>,
  what: string,
): PosternProblem {
  return new PosternProblem({
    ...common,
    code: 'client.answer_unexpected',
    title: 'Answer not understood',
    detail: `The answer has the status ${common.status} and ${what}.`,
  })
}

function parseProblem(response: Response, text: string): Record<string, unknown> | undefined {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) && isCode(value['code']) ? value : undefined
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A newer server may have codes that this client was not told of: they pass as they are. */
function isCode(value: unknown): value is Problem['code'] {
  return typeof value === 'string' && /^[a-z_]{1,64}(?:\.[a-z_]{1,64})?$/.test(value)
}

export function codeOf(value: unknown): ProblemCode {
  return isCode(value) ? value : 'client.answer_unexpected'
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function errorsOf(value: unknown, token: string): NonNullable<Problem['errors']> {
  if (!Array.isArray(value)) return []
  return value.slice(0, errorsMax).flatMap((one: unknown) => {
    if (!isRecord(one)) return []
    const [pointer, detail] = [textOf(one['pointer']), textOf(one['detail'])]
    if (pointer === undefined || detail === undefined) return []
    return [{ pointer: withoutToken(pointer, token), detail: withoutToken(detail, token) }]
  })
}

/** Seconds only, as Postern sends them; a date (RFC 9110, 10.2.3) is a proxy's and is not followed. */
function secondsIn(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined
}
