/**
 * Framing of the PostgreSQL protocol 3 (PostgreSQL manual, chapter 55): a type byte, a length that
 * counts itself, a body. The first messages of a connection have no type byte.
 */
export type WireMessage = {
  /** One ASCII character. */
  readonly type: string
  /** Type byte and length included. */
  readonly bytes: Uint8Array
}

const headerBytes = 5
/** PGlite's memory is the browser's idea of enough; nothing of ours comes near. */
const messageBytesMax = 64 * 1024 * 1024

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Cuts a stream into messages; keeps what is not complete yet. */
export function messageCutter() {
  let pending: Uint8Array = new Uint8Array(0)

  function push(chunk: Uint8Array): void {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
  }

  function take(count: number): Uint8Array {
    const taken = pending.subarray(0, count)
    pending = pending.subarray(count)
    return taken
  }

  function lengthAt(offset: number): number | undefined {
    if (pending.length < offset + 4) return undefined
    const length = view(pending).getInt32(offset)
    if (length < 4 || length > messageBytesMax) throw new Error(`message of ${length} bytes`)
    return length
  }

  return {
    push,
    /** A start-up packet: length and body, no type. Undefined while incomplete. */
    nextStartup(): Uint8Array | undefined {
      const length = lengthAt(0)
      if (length === undefined || pending.length < length) return undefined
      return take(length)
    },
    next(): WireMessage | undefined {
      const length = lengthAt(1)
      if (length === undefined || pending.length < length + 1) return undefined
      const bytes = take(length + 1)
      return { type: String.fromCharCode(bytes[0] ?? 0), bytes }
    },
  }
}

export type MessageCutter = ReturnType<typeof messageCutter>

/** All messages of an answer, which is always complete. */
export function messagesOf(answer: Uint8Array): WireMessage[] {
  const cutter = messageCutter()
  cutter.push(answer)
  const messages: WireMessage[] = []
  for (let message = cutter.next(); message !== undefined; message = cutter.next()) {
    messages.push(message)
  }
  return messages
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function wireMessage(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + body.length)
  bytes[0] = type.charCodeAt(0)
  view(bytes).setInt32(1, body.length + 4)
  bytes.set(body, headerBytes)
  return bytes
}

/** Zero-terminated strings, one after the other. */
export function cStrings(...texts: readonly string[]): Uint8Array {
  return encoder.encode(texts.map((text) => `${text}\0`).join(''))
}

/** The zero-terminated string at an offset of a message, and where the next field begins. */
export function readCString(bytes: Uint8Array, offset: number): { text: string; end: number } {
  const zero = bytes.indexOf(0, offset)
  const stop = zero === -1 ? bytes.length : zero
  return { text: decoder.decode(bytes.subarray(offset, stop)), end: stop + 1 }
}

export function queryMessage(text: string): Uint8Array {
  return wireMessage('Q', cStrings(text))
}

/** The text of a Query or Parse message; undefined for every other type. */
export function statementText({ type, bytes }: WireMessage): string | undefined {
  if (type === 'Q') return readCString(bytes, headerBytes).text
  if (type !== 'P') return undefined
  return readCString(bytes, readCString(bytes, headerBytes).end).text
}

/** The same Query or Parse message with another text, which takes no parameters. */
export function withStatementText(message: WireMessage, text: string): WireMessage {
  if (message.type === 'Q') return { type: 'Q', bytes: queryMessage(text) }
  const { text: name } = readCString(message.bytes, headerBytes)
  const parameterTypes = new Uint8Array(2)
  return {
    type: 'P',
    bytes: wireMessage('P', Buffer.concat([cStrings(name, text), parameterTypes])),
  }
}

/** Where a message names a prepared statement: offset of the name. */
function statementNameOffset({ type, bytes }: WireMessage): number | undefined {
  if (type === 'P') return headerBytes
  if (type === 'B') return readCString(bytes, headerBytes).end
  const isOfStatement = bytes[headerBytes] === 'S'.charCodeAt(0)
  return (type === 'D' || type === 'C') && isOfStatement ? headerBytes + 1 : undefined
}

/**
 * The message with a prefix before its prepared statement's name, so that connections that share a
 * session do not meet. The unnamed statement stays unnamed.
 */
export function prefixStatement(
  message: WireMessage,
  prefix: string,
): { readonly bytes: Uint8Array; readonly name: string | undefined } {
  const offset = statementNameOffset(message)
  if (offset === undefined) return { bytes: message.bytes, name: undefined }
  const { text, end } = readCString(message.bytes, offset)
  if (text === '') return { bytes: message.bytes, name: undefined }
  const name = prefix + text
  const body = Buffer.concat([
    message.bytes.subarray(headerBytes, offset),
    cStrings(name),
    message.bytes.subarray(end),
  ])
  return { bytes: wireMessage(message.type, body), name }
}
