import { parseAnswer } from './answer.ts'
import { EventTooLarge, type ServerEvent, serverEvents } from './event-stream.ts'
import type { Job } from './operations.ts'
import { backoffMs, pause } from './pause.ts'
import { codeOf, isRecord, PosternProblem, textOf } from './problem.ts'
import { mayPass, type Sender } from './send.ts'

/** A change of a job; `id` is what `lastEventId` goes on from. */
export type JobEvent = { readonly id: string; readonly job: Job }

export type WatchOptions = {
  readonly signal?: AbortSignal | undefined
  /** Goes on after this event, which an earlier stream has given. */
  readonly lastEventId?: string | undefined
}

/** Connections in a row that brought no event and did not live; then the stream is given up. */
const cutsMaxDefault = 8
/** From its answer to its last sign of life: a proxy that cuts later cuts by the clock. */
const livedMsMin = 30_000
/** The longest that a server may ask to wait between two connections. */
const retryMsMax = 30_000

type Following = {
  readonly isLast: (job: Job) => boolean
  /** For one connection, until its answer begins. */
  readonly answerMsMax: number
  readonly cutsMax?: number
  readonly now?: () => number
}

/** Follows a stream over every cut, from the event behind the last one given; ends after the last. */
export async function* watch(
  sender: Sender,
  url: URL,
  options: WatchOptions & Following,
): AsyncGenerator<JobEvent> {
  const { signal, isLast, answerMsMax } = options
  const { cutsMax = cutsMaxDefault, now = () => performance.now() } = options
  let last = options.lastEventId
  let cuts = 0
  let retryMs = 0
  const onRetry = (ms: number) => {
    retryMs = Math.min(ms, retryMsMax)
  }
  for (;;) {
    let openedAt = 0
    const onOpen = () => {
      openedAt = now()
    }
    const onSign = () => {
      if (now() - openedAt >= livedMsMin) cuts = 0
    }
    const heard = { onOpen, onSign, onRetry }
    try {
      for await (const event of connection(sender, { url, signal, last, answerMsMax, ...heard })) {
        last = event.id
        cuts = 0
        yield event
        if (isLast(event.job)) return
      }
      throw cut()
    } catch (error) {
      signal?.throwIfAborted()
      cuts += 1
      if (!goesOn(error) || cuts >= cutsMax) throw error
      await pause(Math.max(retryMs, toldMs(error), backoffMs(cuts)), signal)
    }
  }
}

function toldMs({ retryAfterSeconds = 0 }: PosternProblem): number {
  return Math.min(retryAfterSeconds * 1_000, retryMsMax)
}

type Connection = {
  readonly url: URL
  readonly signal: AbortSignal | undefined
  readonly last: string | undefined
  readonly answerMsMax: number
  readonly onOpen: () => void
  readonly onSign: () => void
  readonly onRetry: (ms: number) => void
}

async function* connection(
  sender: Sender,
  { url, signal, last, answerMsMax, onOpen, ...heard }: Connection,
): AsyncGenerator<JobEvent> {
  const headers = {
    accept: 'text/event-stream',
    ...(last === undefined ? {} : { 'last-event-id': last }),
  }
  const question = { method: 'GET', url, headers, body: undefined, signal }
  const { response } = await sender.open(question, answerMsMax)
  const type = response.headers.get('content-type') ?? ''
  if (response.body === null || !type.startsWith('text/event-stream')) {
    await response.body?.cancel()
    throw new PosternProblem({
      code: 'client.answer_unexpected',
      status: response.status,
      title: 'Answer not understood',
      detail: 'The answer is no event stream.',
    })
  }
  onOpen()
  yield* jobEvents(serverEvents(response.body, heard))
}

async function* jobEvents(events: AsyncGenerator<ServerEvent>): AsyncGenerator<JobEvent> {
  try {
    for await (const { id, event, data } of events) {
      if (event === 'problem') throw problemOf(data)
      if (event === 'job') yield { id, job: parseAnswer(data) }
    }
  } catch (error) {
    if (error instanceof PosternProblem) throw error
    throw error instanceof EventTooLarge ? tooLarge() : cut()
  }
}

function problemOf(data: string): PosternProblem {
  const value: unknown = parseAnswer(data)
  const said = isRecord(value) ? value : {}
  const status = typeof said['status'] === 'number' ? said['status'] : 0
  return new PosternProblem({
    code: codeOf(said['code']),
    status,
    title: textOf(said['title'])?.slice(0, titleCharactersMax) ?? 'Stream ended',
  })
}

const titleCharactersMax = 200

function goesOn(error: unknown): error is PosternProblem {
  if (!(error instanceof PosternProblem)) return false
  return error.code === 'client.stream_cut' || mayPass(error, true)
}

function cut(): PosternProblem {
  return new PosternProblem({ code: 'client.stream_cut', status: 0, title: 'Stream cut' })
}

function tooLarge(): PosternProblem {
  return new PosternProblem({
    code: 'client.answer_too_large',
    status: 200,
    title: 'Event too large',
  })
}
