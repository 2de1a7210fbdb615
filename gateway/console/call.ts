import * as z from 'zod/mini'

// Where evaluating is forbidden, asking whether it is allowed would be reported as a violation.
z.config({ jitless: true })

/** RFC 9457, as every refusal of the gateway is told. */
const problemSchema = z.object({
  title: z.string(),
  status: z.number(),
  code: z.optional(z.string()),
  detail: z.optional(z.string()),
  requestId: z.optional(z.string()),
  errors: z.optional(z.array(z.object({ pointer: z.string(), detail: z.string() }))),
})

type Told = {
  readonly title: string
  readonly status: number
  readonly code?: string | undefined
  readonly detail?: string | undefined
  readonly requestId?: string | undefined
}

/** A request that was not answered as it should be: by the gateway, or by nobody. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly title: string
  readonly status: number
  readonly code: string | undefined
  readonly detail: string | undefined
  readonly requestId: string | undefined

  constructor(told: Told, options?: ErrorOptions) {
    super(told.title, options)
    this.title = told.title
    this.status = told.status
    this.code = told.code
    this.detail = told.detail
    this.requestId = told.requestId
  }
}

type Method = 'GET' | 'POST' | 'DELETE'

export type Request = {
  readonly method?: Method
  readonly path: string
  readonly body?: unknown
  /** An answer with this status is one as well: `/readyz` says so why it is not ready. */
  readonly alsoStatus?: number
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds; the gateway refuses in less whatever it cannot do. */
const answerMsMax = 20_000

/**
 * Asks the gateway with a bearer token, and with nothing that a browser would add by itself: no
 * cookie, no stored credential, no cache, no redirect. Throws `Refused`.
 */
export async function callGateway(token: string, request: Request): Promise<Response> {
  const { method = 'GET', path, body, alsoStatus, signal } = request
  const late = AbortSignal.timeout(answerMsMax)
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      mode: 'same-origin',
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    })
  } catch (cause) {
    const detail = late.aborted ? 'No answer in 20 s.' : 'The gateway cannot be reached.'
    throw new Refused({ title: 'No answer', status: 0, detail }, { cause })
  }
  if (answer.ok || answer.status === alsoStatus) return answer
  throw await refusalOf(answer)
}

async function refusalOf(answer: Response): Promise<Refused> {
  const requestId = answer.headers.get('x-request-id') ?? undefined
  const told = problemSchema.safeParse(await answer.json().catch(() => undefined))
  if (!told.success) {
    return new Refused({ title: `Answered ${answer.status}`, status: answer.status, requestId })
  }
  const { errors = [], detail, ...problem } = told.data
  const faults = errors.map((fault) => `${fault.pointer}: ${fault.detail}`)
  const words = [detail, ...faults].filter((text) => text !== undefined).join(' ')
  return new Refused({ requestId, ...problem, detail: words === '' ? undefined : words })
}

/** Reads JSON as the schema says; an answer of another shape is a refusal, never half shown. */
export async function readAnswer<Schema extends z.ZodMiniType>(
  answer: Response,
  schema: Schema,
): Promise<z.output<Schema>> {
  const read = schema.safeParse(await answer.json().catch(() => undefined))
  if (read.success) return read.data
  const places = read.error.issues.slice(0, 3).map((issue) => issue.path.join('.'))
  throw new Refused({
    title: 'Answer not understood',
    status: answer.status,
    detail: `This page may be older than the gateway; load it anew. At: ${places.join(', ')}.`,
    requestId: answer.headers.get('x-request-id') ?? undefined,
  })
}
