import { connect, createServer, type Socket } from 'node:net'
import { messageCutter } from '#core/postgres/wire-message.ts'

/** `frozen`: sockets stay open and nothing passes; `refusing`: they end, and new ones too. */
export type Passage = 'open' | 'frozen' | 'refusing'

export type DeafProxy = {
  readonly port: number
  /** Whether notifications of the server are dropped. */
  setDeaf(isDeaf: boolean): void
  /** Notifications that were dropped so far. */
  dropped(): number
  set(passage: Passage): void
  /** Connections that send this text are cut; undefined: none. */
  cutOn(text: string | undefined): void
  close(): void
}

type Link = { readonly client: Socket; readonly server: Socket }

const notification = 'A'

/** A TCP proxy in front of a real Postgres; knows its protocol, so that it can be deaf to one message. */
export async function openDeafProxy(targetPort: number): Promise<DeafProxy> {
  const links = new Set<Link>()
  let passage: Passage = 'open'
  let isDeaf = false
  let dropped = 0
  let forbidden: string | undefined

  function hear(bytes: Uint8Array, cutter: ReturnType<typeof messageCutter>): Uint8Array {
    cutter.push(bytes)
    const passed: Uint8Array[] = []
    for (let message = cutter.next(); message !== undefined; message = cutter.next()) {
      if (isDeaf && message.type === notification) dropped += 1
      else passed.push(message.bytes)
    }
    return Buffer.concat(passed)
  }

  const listener = createServer({ noDelay: true }, (client) => {
    if (passage === 'refusing') {
      client.destroy()
      return
    }
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const link = { client, server }
    const cut = () => cutLink(links, link)
    links.add(link)
    const cutter = messageCutter()
    for (const socket of [client, server]) {
      socket.on('error', cut)
      socket.on('close', cut)
      if (passage === 'frozen') socket.pause()
    }
    client.on('data', (bytes: Buffer) => {
      if (forbidden !== undefined && bytes.toString('latin1').includes(forbidden)) cut()
      else server.write(bytes)
    })
    server.on('data', (bytes: Buffer) => client.write(hear(bytes, cutter)))
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  listener.listen(0, '127.0.0.1', resolve)
  await listening
  const address = listener.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    setDeaf(is) {
      isDeaf = is
    },
    dropped: () => dropped,
    set(next) {
      passage = next
      for (const link of [...links]) pass(links, link, next)
    },
    cutOn(text) {
      forbidden = text
    },
    close() {
      for (const link of [...links]) cutLink(links, link)
      listener.close()
    },
  }
}

function pass(links: Set<Link>, link: Link, passage: Passage): void {
  if (passage === 'refusing') {
    cutLink(links, link)
    return
  }
  for (const socket of [link.client, link.server]) {
    if (passage === 'frozen') socket.pause()
    else socket.resume()
  }
}

function cutLink(links: Set<Link>, link: Link): void {
  links.delete(link)
  link.client.destroy()
  link.server.destroy()
}
