import type { RespondWitness } from './respond-witness.ts'

/** Seconds without a byte in either direction. */
const idleSeconds = 10
/** Above what a body may hold, so that the answer comes from the witness and not from Bun. */
const bodyBytesMax = 1_048_576

export type WitnessListener = {
  readonly url: string
  /** Takes no further connections, lets the requests under way end and cuts off what is left. */
  stop(deadlineMs: number): Promise<void>
}

/** Throws when the port is taken. */
export function listenWitness(options: {
  readonly respond: RespondWitness
  readonly address: string
  readonly port: number
  /** PEM; with `clientCa`, clients must present a certificate that chains to it. */
  readonly tls?:
    | { readonly certificate: string; readonly key: string; readonly clientCa: string | undefined }
    | undefined
}): WitnessListener {
  const { respond, address, port, tls } = options
  const authority = tls?.clientCa
  const server = Bun.serve({
    hostname: address,
    port,
    // Without it and outside development, Bun lets a second process share the port.
    reusePort: false,
    // Bun's error page shows source code.
    development: false,
    idleTimeout: idleSeconds,
    maxRequestBodySize: bodyBytesMax,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            cert: tls.certificate,
            key: tls.key,
            ...(authority === undefined
              ? {}
              : { ca: authority, requestCert: true, rejectUnauthorized: true }),
          },
        }),
    fetch: (request, listener) => respond(request, listener.requestIP(request)?.address ?? ''),
  })

  async function stop(deadlineMs: number): Promise<void> {
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, deadlineMs)
    await Promise.race([server.stop(), deadline])
    clearTimeout(timer)
    await server.stop(true)
  }
  return { url: server.url.href, stop }
}
