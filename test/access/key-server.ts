import type { SigningKey } from './world.ts'

export type KeyServer = {
  readonly url: string
  /** Requests that arrived. */
  count(): number
  /** Publishes these keys. */
  publish(...keys: readonly SigningKey[]): void
  /** Answers with this from now on. */
  respond(answer: () => Response | Promise<Response>): void
  stop(): Promise<void>
}

/** A real issuer's key endpoint on a free loopback port. */
export function startKeyServer(...keys: readonly SigningKey[]): KeyServer {
  let requests = 0
  let answer: () => Response | Promise<Response> = () => Response.json({ keys: [] })
  const publish = (...published: readonly SigningKey[]) => {
    answer = () => Response.json({ keys: published.map((key) => key.publicJwk) })
  }
  publish(...keys)
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch() {
      requests++
      return answer()
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/keys`,
    count: () => requests,
    publish,
    respond(next) {
      answer = next
    },
    stop: () => server.stop(true),
  }
}
