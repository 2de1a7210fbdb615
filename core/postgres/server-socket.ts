import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { DatabaseAddress } from './database-url.ts'

/** PostgreSQL protocol: length 8, code 80877103. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/** Name, TCP and, when the address asks for it, TLS with chain and host name verified. */
export async function openServerSocket(
  address: DatabaseAddress,
  timeoutMs: number,
): Promise<Socket> {
  const { host, port, tls } = address
  const socket = connect({ host, port, noDelay: true })
  const opened: Socket[] = [socket]
  const late = setTimeout(() => {
    for (const each of opened) each.destroy(new Error(`no answer within ${timeoutMs} ms`))
  }, timeoutMs)
  try {
    await once(socket, 'connect')
    if (tls === undefined) return socket
    await askForTls(socket)
    const secure = connectTls({ socket, ...verified(host, tls) })
    opened.push(secure)
    await once(secure, 'secureConnect')
    return secure
  } catch (cause) {
    for (const each of opened) each.destroy()
    throw cause
  } finally {
    clearTimeout(late)
  }
}

/** `host` is what the certificate is held against; a server name is sent only for names (RFC 6066). */
function verified(host: string, tls: { readonly ca?: string }) {
  return { host, rejectUnauthorized: true, ...(isIP(host) ? {} : { servername: host }), ...tls }
}

async function askForTls(socket: Socket): Promise<void> {
  const answer = Promise.withResolvers<Buffer>()
  socket.once('data', answer.resolve)
  socket.once('error', answer.reject)
  socket.once('end', () => answer.reject(new Error('the server hung up when asked for TLS')))
  socket.write(sslRequest)
  const bytes = await answer.promise
  socket.removeAllListeners()
  // More than the one byte would be plain text slipped in before the handshake (CVE-2021-23222).
  if (bytes.length !== 1 || bytes[0] !== 0x53) throw new Error('the server does not offer TLS')
}
