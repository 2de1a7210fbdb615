import { createServer, type Server, type Socket } from 'node:net'
import {
  type ExecuteRaw,
  type SessionMember,
  type SharedSession,
  sharedSession,
} from './shared-session.ts'
import {
  cStrings,
  messageCutter,
  prefixStatement,
  queryMessage,
  statementText,
  view,
  type WireMessage,
  wireMessage,
} from './wire-message.ts'

/** Request codes in place of a protocol version (PostgreSQL manual 55.7). */
const cancelRequest = 80_877_102
const encryptionRequests = new Set([80_877_103, 80_877_104])
/** Messages after which the server answers: Sync, Query, Flush, CopyDone, CopyFail. */
const unitEnds = new Set(['S', 'Q', 'H', 'c', 'f'])

export type WireFront = { readonly port: number; close(): Promise<void> }

/**
 * A Postgres server's front for one embedded session, on loopback. Accepts any user: what can reach
 * a loopback port of this machine can read the data directory as well.
 */
export async function openWireFront(options: {
  readonly execute: ExecuteRaw
  readonly serverVersion: string
}): Promise<WireFront> {
  const session = sharedSession(options.execute)
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    connections += 1
    serveConnection({ socket, session, id: connections, serverVersion: options.serverVersion })
  })
  const port = await listening(server)
  return {
    port,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await session.idle()
    },
  }
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
}

function serveConnection(connection: Connection): void {
  const { socket, session } = connection
  const cutter = messageCutter()
  const client = clientOf(connection)
  let isStarted = false

  socket.on('data', (chunk) => {
    try {
      cutter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      if (!isStarted) isStarted = start(connection, cutter, client.member)
      if (!isStarted) return
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

/** Answers start-up packets; true once the client may send messages. */
function start(
  { socket, session, id, serverVersion }: Connection,
  cutter: ReturnType<typeof messageCutter>,
  member: SessionMember,
): boolean {
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
    session.join(member)
    socket.write(greeting(id, serverVersion))
    return true
  }
  return false
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
    const { bytes, name } = prefixStatement(message, prefix)
    if (name !== undefined && message.type === 'P') statements.add(name)
    if (name !== undefined && message.type === 'C') statements.delete(name)
    unit.push(bytes)
    if (!unitEnds.has(message.type)) return
    session.submit(member, Buffer.concat(unit))
    unit = []
  }

  return { member, statements, take }
}

const nobody: SessionMember = { channels: new Set(), write: () => undefined }

function listenAgain(channel: string): Uint8Array {
  return queryMessage(`listen "${channel.replaceAll('"', '""')}"`)
}

/** BullMQ's LISTEN stands behind SQL comments, so the whole text is searched. */
const listenPattern = /\b(listen|unlisten)\s+(?:"([^"]+)"|([A-Za-z_][A-Za-z0-9_$]*))/gi
