import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type ExecuteRaw,
  type SessionMember,
  type SharedSession,
  sharedSession,
} from './one-session.ts'
import {
  cStrings,
  type MessageCutter,
  messageCutter,
  prefixStatement,
  queryMessage,
  readCString,
  statementText,
  view,
  type WireMessage,
  wireMessage,
  withStatementText,
} from './wire-message.ts'

/** Request codes in place of a protocol version (PostgreSQL manual 55.7). */
const cancelRequest = 80_877_102
const encryptionRequests = new Set([80_877_103, 80_877_104])
/** Messages after which the server answers: Sync, Query, Flush, CopyDone, CopyFail. */
const unitEnds = new Set(['S', 'Q', 'H', 'c', 'f'])

export type WireFront = { readonly port: number; close(): Promise<void> }

/**
 * A Postgres server's front for one embedded session, on loopback. The password keeps out the other
 * users of the machine, who reach the port and not the data directory.
 */
export async function openWireFront(options: {
  readonly execute: ExecuteRaw
  readonly serverVersion: string
  readonly password: string
}): Promise<WireFront> {
  const session = sharedSession(options.execute)
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    connections += 1
    const { serverVersion, password } = options
    serveConnection({ socket, session, id: connections, serverVersion, password })
  })
  const port = await listening(server)
  return {
    port,
    async close() {
      server.close()
      // A connection that is gone leaves behind what tidies up after it: the session ends after that.
      const gone = [...sockets].map((socket) => closed(socket))
      for (const socket of sockets) socket.destroy()
      await Promise.all(gone)
      await session.idle()
    },
  }
}

/** Whatever it fails with: `once` of node:events rejects at an error, which comes before the close. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no TCP address'))
      else resolve(address.port)
    })
  })
}

type Connection = {
  readonly socket: Socket
  readonly session: SharedSession
  readonly id: number
  readonly serverVersion: string
  readonly password: string
}

function serveConnection(connection: Connection): void {
  const { socket, session } = connection
  const cutter = messageCutter()
  const client = clientOf(connection)
  let isStarted = false
  let isAdmitted = false

  function isReady(): boolean {
    isStarted ||= start(connection, cutter)
    isAdmitted ||= isStarted && admit(connection, cutter, client.member)
    return isAdmitted
  }

  socket.on('data', (chunk) => {
    try {
      cutter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      if (!isReady()) return
      for (let message = cutter.next(); message !== undefined; message = cutter.next()) {
        client.take(message)
      }
    } catch {
      // Not the protocol: nothing to answer.
      socket.destroy()
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => session.leave(client.member, client.statements))
}

/** Answers start-up packets; true once the client has been asked for its password. */
function start({ socket }: Connection, cutter: MessageCutter): boolean {
  for (let packet = cutter.nextStartup(); packet !== undefined; packet = cutter.nextStartup()) {
    const code = view(packet).getInt32(4)
    if (code === cancelRequest) {
      // One session has nothing to cancel but everybody's statement.
      socket.destroy()
      return false
    }
    if (encryptionRequests.has(code)) {
      socket.write('N')
      continue
    }
    socket.write(passwordRequest)
    return true
  }
  return false
}

/** True once the client may send statements; a wrong password ends the connection. */
function admit(connection: Connection, cutter: MessageCutter, member: SessionMember): boolean {
  const { socket, session, id, serverVersion, password } = connection
  const message = cutter.next()
  if (message === undefined) return false
  const given = message.type === 'p' ? readCString(message.bytes, passwordOffset).text : ''
  if (!timingSafeEqual(digest(given), digest(password))) {
    socket.end(wrongPassword)
    return false
  }
  session.join(member)
  socket.write(greeting(id, serverVersion))
  return true
}

const passwordOffset = 5
/** AuthenticationCleartextPassword: it never leaves this machine. */
const passwordRequest = wireMessage('R', new Uint8Array([0, 0, 0, 3]))
const wrongPassword = wireMessage(
  'E',
  cStrings('SFATAL', 'VFATAL', 'C28P01', 'Mpassword authentication failed', ''),
)

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

/** AuthenticationOk, parameters, key, ReadyForQuery. */
function greeting(id: number, serverVersion: string): Uint8Array {
  const parameters = {
    server_version: serverVersion,
    server_encoding: 'UTF8',
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    integer_datetimes: 'on',
    standard_conforming_strings: 'on',
  }
  const key = new Uint8Array(8)
  view(key).setInt32(0, id)
  return Buffer.concat([
    wireMessage('R', new Uint8Array(4)),
    ...Object.entries(parameters).map((pair) => wireMessage('S', cStrings(...pair))),
    wireMessage('K', key),
    wireMessage('Z', new TextEncoder().encode('I')),
  ])
}

/** Collects a client's messages into units and remembers what it leaves in the session. */
function clientOf({ socket, session, id }: Connection) {
  const channels = new Set<string>()
  const statements = new Set<string>()
  const prefix = `c${id}_`
  let unit: Uint8Array[] = []
  const member: SessionMember = {
    channels,
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes)
    },
  }

  function follow(text: string): void {
    for (const [, verb = '', quoted, plain = ''] of text.matchAll(listenPattern)) {
      // Unquoted names are folded to lower case (PostgreSQL manual 4.1.1).
      const channel = quoted ?? plain.toLowerCase()
      if (verb.toLowerCase() === 'listen') {
        channels.add(channel)
        continue
      }
      channels.delete(channel)
      // The session is everybody's: what one no longer hears another may.
      if (session.hears(channel)) queueMicrotask(() => session.submit(nobody, listenAgain(channel)))
    }
  }

  function take(message: WireMessage): void {
    if (message.type === 'X') {
      socket.end()
      return
    }
    const text = statementText(message)
    if (text !== undefined) follow(text)
    const { bytes, name } = prefixStatement(withoutCopy(message, text), prefix)
    if (name !== undefined && message.type === 'P') statements.add(name)
    if (name !== undefined && message.type === 'C') statements.delete(name)
    unit.push(bytes)
    if (!unitEnds.has(message.type)) return
    session.submit(member, Buffer.concat(unit))
    unit = []
  }

  return { member, statements, take }
}

/**
 * The engine ends with its process when it waits for COPY data that is not in the same unit. The
 * statement is replaced by one that fails, so that the server keeps its own account of the failure.
 */
function withoutCopy(message: WireMessage, text: string | undefined): WireMessage {
  if (text === undefined || !copyPattern.test(text)) return message
  return withStatementText(message, copyRefusal)
}

const copyPattern = /\bcopy\b[^;]*\bfrom\s+stdin\b/i
const copyRefusal = `do $$ begin
  raise exception 'the embedded engine takes no COPY FROM STDIN' using errcode = '0A000';
end $$`

const nobody: SessionMember = { channels: new Set(), write: () => undefined }

function listenAgain(channel: string): Uint8Array {
  return queryMessage(`listen "${channel.replaceAll('"', '""')}"`)
}

/** BullMQ's LISTEN stands behind SQL comments, so the whole text is searched. */
const listenPattern = /\b(listen|unlisten)\s+(?:"([^"]+)"|([A-Za-z_][A-Za-z0-9_$]*))/gi
