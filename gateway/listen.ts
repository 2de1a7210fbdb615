import type { Log } from '#core/log.ts'
import { type Gateway, plainProblem } from './app.ts'

/** Above every limit of ours, so that the problem document comes from the route, not from Bun. */
const bodyBytesMax = 128 * 1_048_576
/**
 * Seconds without a byte; routes that wait or stream ask for more. Above the 12 s in which a frozen
 * Postgres is given up, so that its callers hear 503 instead of being cut off.
 */
const idleSeconds = 15
/**
 * Of a connection that waits for its next request. Above the 75 s after which the load balancer gives one
 * up (`deploy/terraform/modules/load-balancer`): else it sends a request into our closing, and answers 502.
 */
const keepAliveSeconds = 90

export type ListenerTls = {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** PEM; when set, clients must present a certificate that chains to it. */
  readonly clientCa: string | undefined
}

export type HttpListener = {
  readonly url: string
  /**
   * Takes no further connections, ends streams and waits, lets the requests under way finish and
   * cuts off what is left at the deadline.
   */
  stop(deadlineMs: number): Promise<void>
}

export type ListenOptions = {
  readonly gateway: Gateway
  readonly address: string
  readonly port: number
  readonly tls?: ListenerTls | undefined
  /** The kernel spreads connections over all processes that listen so. */
  readonly sharesPort?: boolean
  readonly log: Log
}

/** Throws when the port is taken. */
export function listen(options: ListenOptions): HttpListener {
  const { gateway, address, port, tls, log, sharesPort = false } = options
  const server = Bun.serve({
    hostname: address,
    port,
    // Without it and outside development, Bun lets any second process share the port.
    reusePort: sharesPort,
    // Bun's error page shows source code.
    development: false,
    idleTimeout: idleSeconds,
    maxRequestBodySize: bodyBytesMax,
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    async fetch(request, listener) {
      // On a connection that was kept it is still that of the answer before.
      listener.timeout(request, idleSeconds)
      const response = await gateway.fetch(request, listener)
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
      if (isStream !== true) listener.timeout(request, keepAliveSeconds)
      return response
    },
    error(thrown) {
      log.error('request.escaped', { error: thrown })
      return plainProblem()
    },
  })

  async function stop(deadlineMs: number): Promise<void> {
    const graceful = server.stop()
    await gateway.close()
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, deadlineMs)
    await Promise.race([graceful, deadline])
    clearTimeout(timer)
    await server.stop(true)
    // What the last requests have left to be recorded.
    await gateway.close()
  }

  return { url: server.url.href, stop }
}

function tlsOptions({ certificate, key, clientCa }: ListenerTls) {
  const own = { cert: certificate, key }
  if (clientCa === undefined) return own
  return { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true }
}
