import { createHash } from 'node:crypto'

/** RFC 6455, 1.3. */
const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Takes a WebSocket and never says anything on it, not even a pong. */
export function silentServer() {
  const upgraded = Promise.withResolvers<void>()
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        const [, key] = /^sec-websocket-key: *(\S+)/im.exec(bytes.toString()) ?? []
        if (key === undefined) return
        const accept = createHash('sha1')
          .update(key + handshakeGuid)
          .digest('base64')
        const lines = [
          'HTTP/1.1 101 Switching Protocols',
          'Upgrade: websocket',
          'Connection: Upgrade',
          `Sec-WebSocket-Accept: ${accept}`,
        ]
        socket.write(`${lines.join('\r\n')}\r\n\r\n`)
        upgraded.resolve()
      },
    },
  })
  const { promise: connected } = upgraded
  return { url: `http://127.0.0.1:${server.port}`, connected, close: () => server.stop(true) }
}
