import { connect, createServer, type Socket } from 'node:net'

export type DelayProxy = { readonly port: number; close(): void }

/** The way to a server on loopback whose answers all come so much later, in their order. */
export async function delayProxy(serverPort: number, delayMs: number): Promise<DelayProxy> {
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: serverPort, host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => server.write(chunk))
    server.on('data', (chunk) => {
      setTimeout(() => {
        if (!client.destroyed) client.write(chunk)
      }, delayMs)
    })
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  listener.listen(0, '127.0.0.1', () => {
    const address = listener.address()
    resolve(typeof address === 'object' && address !== null ? address.port : 0)
  })
  const port = await promise
  return {
    port,
    close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
