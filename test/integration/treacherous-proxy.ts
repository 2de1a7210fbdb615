import { connect, createServer, type Socket } from 'node:net'

/** Cuts a connection at one write: before the server has got it, or after it has done it. */
export type Treason = {
  readonly how: 'lost' | 'done, answer lost'
  /** The write, by what its bytes contain (Latin-1). */
  readonly isWrite: (text: string) => boolean
  /** The server's answer that says that it is done. */
  readonly isDone: (text: string) => boolean
}

export type TreacherousProxy = {
  readonly port: number
  /** Commits the treason once, at the next write that it names; resolves when it is done. */
  arm(treason: Treason): Promise<void>
  close(): Promise<void>
}

/** A TCP proxy in front of a real server. */
export async function treacherousProxy(targetPort: number): Promise<TreacherousProxy> {
  const sockets = new Set<Socket>()
  let plot: { readonly treason: Treason; readonly committed: () => void } | undefined

  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    let witness: typeof plot
    const cut = () => {
      client.destroy()
      target.destroy()
    }
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    client.on('data', (bytes) => {
      if (plot?.treason.isWrite(bytes.toString('latin1')) === true) {
        witness = plot
        plot = undefined
        if (witness.treason.how === 'lost') {
          cut()
          witness.committed()
          return
        }
      }
      target.write(bytes)
    })
    target.on('data', (bytes) => {
      if (witness?.treason.isDone(bytes.toString('latin1')) === true) {
        cut()
        witness.committed()
        return
      }
      client.write(bytes)
    })
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await listening
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    arm(treason) {
      const { promise, resolve: committed } = Promise.withResolvers<void>()
      plot = { treason, committed }
      return promise
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
