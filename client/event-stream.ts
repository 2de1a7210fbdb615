export type ServerEvent = {
  readonly id: string
  readonly event: string
  readonly data: string
}

export type EventStreamNote = {
  /** The time to wait before the next connection, if the server says one. */
  onRetry(ms: number): void
  /** Called with whatever comes, a comment included. */
  onSign?(): void
}

/** Characters of one event; a job and its result are a tenth of it. */
const eventCharactersMax = 4_194_304
/** The server says something every 5 s; one that is silent for longer is gone. */
const silenceMsMax = 30_000

export class EventTooLarge extends Error {}
class SilentStream extends Error {}

/** The events of a `text/event-stream` (WHATWG HTML, 9.2.6), until it ends; one that is cut half-way is dropped. */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  note: EventStreamNote,
): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const fields = eventFields(note)
  try {
    for await (const line of lines(reader)) {
      note.onSign?.()
      const event = fields.take(line)
      if (event !== undefined) yield event
    }
  } finally {
    // Whoever stops listening closes the connection.
    await reader.cancel().catch(() => undefined)
  }
}

type Reader = {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

async function* lines(reader: Reader): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await beforeSilence(reader)
    if (done) return
    rest += decoder.decode(value, { stream: true })
    // A CR at the end may be the first half of a CRLF.
    const isHalf = rest.endsWith('\r')
    const parts = (isHalf ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/)
    rest = (parts.pop() ?? '') + (isHalf ? '\r' : '')
    if (rest.length > eventCharactersMax) throw new EventTooLarge()
    yield* parts
  }
}

async function beforeSilence(reader: Reader) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SilentStream()), silenceMsMax)
  })
  try {
    return await Promise.race([reader.read(), silent])
  } finally {
    clearTimeout(timer)
  }
}

function eventFields(note: EventStreamNote) {
  let id = ''
  let event = ''
  let data: string[] = []
  let characters = 0

  const setters: Readonly<Record<string, (value: string) => void>> = {
    data(value) {
      characters += value.length
      if (characters > eventCharactersMax) throw new EventTooLarge()
      data.push(value)
    },
    event(value) {
      event = value
    },
    id(value) {
      if (!value.includes('\0')) id = value
    },
    retry(value) {
      if (/^\d{1,9}$/.test(value)) note.onRetry(Number(value))
    },
  }

  function take(line: string): ServerEvent | undefined {
    if (line === '') return end()
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (Object.hasOwn(setters, name)) setters[name]?.(value)
    return undefined
  }

  function end(): ServerEvent | undefined {
    const whole = { id, event: event === '' ? 'message' : event, data: data.join('\n') }
    const isEmpty = data.length === 0
    event = ''
    data = []
    characters = 0
    return isEmpty ? undefined : whole
  }

  return { take }
}
