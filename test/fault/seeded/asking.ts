import { type History, isOutage, nowMs, type Told } from './history.ts'

/** A caller's patience; above the 12 s in which a frozen Postgres is given up. */
const answerMsMax = 15_000
const retryMs = 100

export type Client = 'job' | 'order' | 'cancel' | 'probe' | 'thief' | 'revocation'

/** What each client may be told besides success; anything else is strange. */
const expected: Readonly<Record<Client, readonly number[]>> = {
  job: [202, 409],
  order: [201],
  cancel: [200, 404, 409],
  probe: [200, 202],
  thief: [200, 401],
  revocation: [200],
}

export type Asked = {
  readonly as: string
  readonly method?: string
  readonly body?: unknown
  readonly key?: string
}

export type Asking = {
  /** One request; what it is told is remembered. */
  ask(client: Client, path: string, asked: Asked): Promise<Told & { readonly body: unknown }>
  /** Until it is answered, or the load is over: then what became of it is unknown. */
  insist(client: Client, path: string, asked: Asked): Promise<Told & { readonly body: unknown }>
}

/** Requests to wherever clients go at the moment. */
export function asking(
  history: History,
  now: { readonly url: string; readonly isOver: boolean },
): Asking {
  async function ask(client: Client, path: string, asked: Asked) {
    const startedMs = nowMs()
    const answer = await fetch(`${now.url}${path}`, {
      method: asked.method ?? (asked.body === undefined ? 'GET' : 'POST'),
      headers: headersOf(asked),
      ...(asked.body === undefined ? {} : { body: textOf(asked.body) }),
      signal: AbortSignal.timeout(answerMsMax),
    }).catch(() => undefined)
    const body: unknown = await answer?.json().catch(() => undefined)
    const status = answer?.status
    const requestId = answer?.headers.get('x-request-id') ?? undefined
    const isReplayed = answer?.headers.has('idempotent-replayed') === true
    const told: Told = { startedMs, endedMs: nowMs(), status, requestId, isReplayed }
    if (isOutage(status)) history.outages.push(told)
    else if (!expected[client].includes(status ?? 0)) {
      history.strange.push(`${client} ${path}: ${status} ${JSON.stringify(body)?.slice(0, 200)}`)
    }
    return { ...told, body }
  }

  async function insist(client: Client, path: string, asked: Asked) {
    for (;;) {
      const told = await ask(client, path, asked)
      if (!isOutage(told.status) || now.isOver) return told
      await Bun.sleep(retryMs)
    }
  }

  return { ask, insist }
}

function headersOf({ as, body, key }: Asked): Record<string, string> {
  return {
    authorization: `Bearer ${as}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': `"${key}"` }),
  }
}

const textOf = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body))
