import type { Metrics } from '#core/metrics.ts'

/** Enough for a probe and a scrape at once; everything else is not for this port. */
const idleSeconds = 10

export type ProbeListener = { readonly url: string; stop(): Promise<void> }

/**
 * Liveness, readiness and metrics of a process without a gateway. Loopback only, so it needs no
 * allowlist: what asks sits in the same container or the same network namespace.
 */
export function listenProbes(options: {
  readonly port: number
  readonly readiness: () => Promise<{ readonly ready: boolean }>
  readonly metrics: Metrics
}): ProbeListener {
  const { port, readiness, metrics } = options
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    // Without it and outside development, Bun lets a second process answer for the first.
    reusePort: false,
    idleTimeout: idleSeconds,
    development: false,
    routes: {
      '/healthz': () => Response.json({ alive: true }),
      '/readyz': async () => {
        const state = await readiness()
        return Response.json(state, { status: state.ready ? 200 : 503 })
      },
      '/metrics': async () =>
        new Response(await metrics.registry.metrics(), {
          headers: { 'content-type': metrics.registry.contentType },
        }),
    },
    fetch: () => new Response(null, { status: 404 }),
    error: () => new Response(null, { status: 500 }),
  })
  return { url: server.url.href, stop: () => server.stop(true) }
}
