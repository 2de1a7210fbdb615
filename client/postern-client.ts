import { parseAnswer } from './answer.ts'
import { type Job, type OperationRow, type Operations, operationRows } from './operations.ts'
import { pause } from './pause.ts'
import { PosternProblem } from './problem.ts'
import { mayPass, sender, within } from './send.ts'
import { type TokenOption, tokenSource } from './token.ts'
import { type JobEvent, type WatchOptions, watch } from './watch.ts'

/** Of one request, until its answer is complete, a stream's until it begins; `query.wait` comes on top. */
const timeoutMsDefault = 20_000
/** The first and three more: with the pauses between them about five seconds. */
const attemptsMaxDefault = 4
/** Whoever is told to wait longer hears it as a problem. */
const retryAfterSecondsMaxDefault = 30
/** The server holds a request for 60 s at most; half of it outlives most proxies' patience. */
const waitSeconds = 30
/** Longer jobs than this are for a webhook, unless the caller says otherwise. */
const waitMsMaxDefault = 3_600_000
/** Between two looks at a job where the server did not wait with us. */
const lookMs = 1_000

export type PosternClientOptions = {
  /** Where the gateway is, a path in front of it included. */
  readonly baseUrl: string | URL
  readonly token: TokenOption
  readonly timeoutMs?: number
  readonly attemptsMax?: number
  readonly retryAfterSecondsMax?: number
  /** In place of the platform's. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

export type { Job, JobEvent, Operations, WatchOptions }
export { PosternProblem }

type StreamId = 'watch-job' | 'watch-queue'
/** The name of an operation in the API reference. */
export type OperationId = Exclude<keyof Operations, StreamId>

export type CallOptions = {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** In place of a random one, to be the same over a restart of the caller. */
  readonly idempotencyKey?: string
}

type Input<Id extends OperationId> = Operations[Id]['input'] & CallOptions
// biome-ignore lint/complexity/noBannedTypes: `{}` asks whether every member may be left out.
type Inputs<Id extends OperationId> = {} extends Operations[Id]['input']
  ? [input?: Input<Id>]
  : [input: Input<Id>]

export type PosternClient = {
  /** One operation; throws `PosternProblem` for whatever is no answer of it. */
  call<Id extends OperationId>(id: Id, ...input: Inputs<Id>): Promise<Operations[Id]['answer']>
  /** The job when it has ended, in whatever state; outages meanwhile are waited out. */
  waitFor(jobId: string, options?: WaitOptions): Promise<Job>
  /** Every change of a job, until it has ended. */
  watchJob(jobId: string, options?: WatchOptions): AsyncGenerator<JobEvent>
  /** Changes of the jobs of a kind, until the signal. */
  watchQueue(kind: string, options?: WatchOptions): AsyncGenerator<JobEvent>
}

type CallInput = CallOptions & {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly mediaType?: string
}

/** Calls Postern from Node 20, Bun and browsers. */
export function createPosternClient(options: PosternClientOptions): PosternClient {
  const base = baseOf(options.baseUrl)
  const { timeoutMs = timeoutMsDefault, attemptsMax = attemptsMaxDefault } = options
  const sending = sender({
    tokens: tokenSource(options.token),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    attemptsMax,
    retryAfterSecondsMax: options.retryAfterSecondsMax ?? retryAfterSecondsMaxDefault,
  })

  async function perform(id: OperationId, input: CallInput = {}) {
    const row = operationRows[id]
    const key = row.takesKey === true ? (input.idempotencyKey ?? crypto.randomUUID()) : undefined
    const waitedMs = Number(input.query?.['wait'] ?? 0) * 1_000
    const text = await sending.send({
      method: row.method,
      url: urlOf(base, row, input),
      headers: headersOf(input, key),
      body: bodyOf(input),
      isRepeatable: key !== undefined || repeatable.has(row.method),
      timeoutMs: (input.timeoutMs ?? timeoutMs) + waitedMs,
      signal: input.signal,
    })
    if (row.gives === 'nothing') return undefined
    return row.gives === 'text' ? text : parseAnswer(text)
  }

  async function look(id: string, leftMs: number, signal: AbortSignal | undefined): Promise<Look> {
    const wait = Math.min(waitSeconds, Math.ceil(leftMs / 1_000))
    try {
      // The server's last answer comes when its wait, of whole seconds, is over.
      const job: Job = await within(leftMs + lookMs, signal, (left) =>
        perform('get-job', { params: { id }, query: { wait }, signal: left }),
      )
      return { job, pauseMs: lookMs }
    } catch (error) {
      if (!(error instanceof PosternProblem) || !mayPass(error, true)) throw error
      const told = (error.retryAfterSeconds ?? 0) * 1_000
      return { problem: error, pauseMs: Math.max(told, lookMs) }
    }
  }

  async function waitFor(
    jobId: string,
    { signal, timeoutMs: withinMs = waitMsMaxDefault }: WaitOptions = {},
  ): Promise<Job> {
    const until = performance.now() + withinMs
    for (;;) {
      const leftMs = Math.max(0, until - performance.now())
      const { job, problem, pauseMs } = await look(jobId, leftMs, signal)
      if (job?.finishedAt !== undefined) return job
      if (performance.now() + pauseMs >= until) throw problem ?? notEnded(withinMs)
      await pause(pauseMs, signal)
    }
  }

  function follow(id: StreamId, params: Readonly<Record<string, string>>, isLast: IsLast) {
    const url = urlOf(base, operationRows[id], { params })
    return (watching: WatchOptions = {}) =>
      watch(sending, url, { ...watching, isLast, answerMsMax: timeoutMs })
  }

  return {
    call: (id, ...[input]) => perform(id, input),
    waitFor,
    watchJob: (id, watching) => follow('watch-job', { id }, hasEnded)(watching),
    watchQueue: (kind, watching) => follow('watch-queue', { kind }, () => false)(watching),
  }
}

type WaitOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number }
type Look = {
  readonly job?: Job
  readonly problem?: PosternProblem
  readonly pauseMs: number
}
type IsLast = (job: Job) => boolean

const hasEnded: IsLast = (job) => job.finishedAt !== undefined

/** RFC 9110, 9.2.2; our PATCH is none of them. */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

function notEnded(ms: number): PosternProblem {
  return new PosternProblem({
    code: 'client.timed_out',
    status: 0,
    title: 'Job has not ended',
    detail: `The job has not ended within ${ms} ms; it goes on.`,
  })
}

/** A login in the address would go into errors and logs. */
function baseOf(address: string | URL): URL {
  const base = new URL(address)
  if (base.protocol !== 'https:' && base.protocol !== 'http:') {
    throw new TypeError('baseUrl must begin with https:// or http://')
  }
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new TypeError('baseUrl must hold no login, query or fragment')
  }
  return base
}

function urlOf(base: URL, row: OperationRow, { params = {}, query = {} }: CallInput): URL {
  const filled = row.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? ''
    return name === row.slashIn ? segments(value) : segment(value)
  })
  const url = new URL(base)
  url.pathname = base.pathname.replace(/\/$/, '') + filled
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

/** A dot alone would climb, and what is encoded no path of Postern holds. */
function segment(value: string): string {
  if (!/^[A-Za-z0-9._^-]{1,200}$/.test(value) || /^\.+$/.test(value)) {
    throw new TypeError('a parameter of the path is 1 to 200 letters, digits, dots or dashes')
  }
  return value
}

const segmentsCharactersMax = 200

function segments(value: string): string {
  if (value.length > segmentsCharactersMax) {
    throw new TypeError(`a parameter of the path has ${segmentsCharactersMax} characters at most`)
  }
  return value.split('/').map(segment).join('/')
}

function headersOf(input: CallInput, key: string | undefined): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json, text/*;q=0.9',
    ...(input.body === undefined ? {} : { 'content-type': input.mediaType ?? 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  }
}

function bodyOf({ body, mediaType }: CallInput): string | undefined {
  if (body === undefined) return undefined
  return mediaType === undefined ? JSON.stringify(body) : String(body)
}
