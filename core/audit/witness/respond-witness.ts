import type { Log } from '../../log.ts'
import { readBoundedText } from '../../reading/read-bounded-text.ts'
import { requestBytesMax, sizeMediaType } from './add-checkpoint.ts'
import type { AnswerCheckpoint, CheckpointAnswer } from './answer-checkpoint.ts'
import type { WitnessStore } from './witness-store.ts'

/** Milliseconds for a whole body of at most 68 KiB, on the slowest link that a log is run on. */
const bodyMsMax = 10_000
/** Bodies being read at once; 17 MiB of memory at the most. */
const requestsMax = 256
const retryAfter = { 'retry-after': '5' }

export type RespondWitness = (request: Request, remoteAddress: string) => Promise<Response>

/**
 * C2SP tlog-witness over HTTP: `POST /add-checkpoint`, `GET /<hex SHA-256 of origin>/checkpoint`,
 * and `/healthz`. Anybody may ask; what counts is the log's signature. Never rejects.
 */
export function respondWitness(options: {
  readonly answer: AnswerCheckpoint
  readonly store: Pick<WitnessStore, 'find'>
  readonly log: Log
}): RespondWitness {
  const { answer, store, log } = options
  let requests = 0

  async function addCheckpoint(request: Request, remoteAddress: string): Promise<Response> {
    if (request.method !== 'POST') return text(405, 'use POST', { allow: 'POST' })
    if (requests >= requestsMax) return text(503, 'too many requests at once', retryAfter)
    requests += 1
    const startedAt = performance.now()
    try {
      const limits = { bytesMax: requestBytesMax, timeoutMs: bodyMsMax }
      const body = await readBoundedText(request, limits)
      if (typeof body === 'object') {
        log.warn('witness.refused', { ...body, remoteAddress })
        return text(body.status, body.reason)
      }
      const answered = answer(body)
      logAnswer(log, answered, { remoteAddress, durationMs: performance.now() - startedAt })
      return respondAnswer(answered)
    } finally {
      requests -= 1
    }
  }

  function read(request: Request, pathname: string): Response {
    const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname) ?? []
    if (hash === undefined && pathname !== '/healthz') return text(404, 'nothing is here')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return text(405, 'use GET', { allow: 'GET, HEAD' })
    }
    if (hash === undefined) return text(200, 'alive')
    const note = store.find(hash)
    if (note === undefined) return text(404, 'nothing was cosigned for this origin')
    return new Response(note, { headers: { ...plain, 'cache-control': 'no-cache' } })
  }

  return async (request, remoteAddress) => {
    try {
      const { pathname } = new URL(request.url)
      if (pathname === '/add-checkpoint') return await addCheckpoint(request, remoteAddress)
      return read(request, pathname)
    } catch (error) {
      log.error('witness.failed', { error, remoteAddress })
      return text(503, 'the witness cannot answer now', retryAfter)
    }
  }
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

function text(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { ...plain, ...headers } })
}

function respondAnswer(answered: CheckpointAnswer): Response {
  switch (answered.status) {
    case 200:
      return new Response(answered.lines, { headers: plain })
    case 409:
      return new Response(`${answered.size}\n`, {
        status: 409,
        headers: { 'content-type': sizeMediaType },
      })
    default:
      return text(answered.status, answered.reason)
  }
}

/** One line per request. Beside an inconsistency stands the note, which the log cannot deny. */
function logAnswer(
  log: Log,
  answered: CheckpointAnswer,
  context: { readonly remoteAddress: string; readonly durationMs: number },
): void {
  const { request, status } = answered
  const fields = {
    status,
    reason: 'reason' in answered ? answered.reason : undefined,
    origin: request?.checkpoint.origin,
    oldSize: request?.oldSize,
    size: request?.checkpoint.size,
    ...context,
  }
  if (status === 200 || status === 409) log.info('witness.answered', fields)
  else if (status !== 422) log.warn('witness.refused', fields)
  else
    log.error('witness.inconsistent', { ...fields, isFork: answered.isFork, note: request?.note })
}
