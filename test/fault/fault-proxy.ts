import { connect, createServer, type Socket } from 'node:net'

export type FaultProxy = {
  readonly port: number
  /** Milliseconds, at most, that each answer takes longer from now on. */
  delayMsMax: number
  /** So many answers more are swallowed, with the connection, each with this chance. */
  lose: { left: number; readonly chance: number }
  readonly lost: () => number
  stop(): void
}

/**
 * A slow way to a server on loopback, whose answers may be lost: the server has done what it was
 * asked, and who asked never hears of it.
 */
export async function faultProxy(serverPort: number, random: () => number): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let lost = 0

  function isSwallowed(): boolean {
    if (proxy.lose.left === 0 || random() >= proxy.lose.chance) return false
    proxy.lose.left -= 1
    lost += 1
    return true
  }

  function pass(client: Socket): void {
    const server = connect(serverPort, '127.0.0.1')
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
      socket.on('error', end)
    }
    let before = Promise.resolve()
    client.on('data', (chunk) => server.write(chunk))
    server.on('data', (chunk) => {
      const delayMs = random() * proxy.delayMsMax
      before = before.then(async () => {
        await Bun.sleep(delayMs)
        if (isSwallowed()) end()
        else if (!client.destroyed) client.write(chunk)
      })
    })
  }

  const listener = createServer(pass)
  const { promise, resolve } = Promise.withResolvers<number>()
  listener.listen(0, '127.0.0.1', () => {
    const address = listener.address()
    resolve(typeof address === 'object' && address !== null ? address.port : 0)
  })
  const proxy: FaultProxy = {
    ...{ port: await promise, delayMsMax: 0, lose: { left: 0, chance: 0 }, lost: () => lost },
    stop() {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return proxy
}
