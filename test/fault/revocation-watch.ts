import { connect } from 'node:net'

/** Milliseconds between two attempts of a probe. */
export const probeMs = 50
/** Milliseconds that one request may take; a gateway that stands still answers none. */
const answerMsMax = 45_000
const waitSeconds = 60
/** Milliseconds until a long poll that was sent is waiting. */
const settleMs = 100

/** Milliseconds of the wall clock, which is the database's too. */
export const wall = () => performance.timeOrigin + performance.now()

export type Place = {
  readonly url: string
  /** When the last request was sent that was let in. */
  admittedAt: number
  /** When the first answer came that was a refusal, with none behind it that was not. */
  refusedAt: number | undefined
  streamEndedAt: number | undefined
  waitEndedAt: number | undefined
  readonly faults: string[]
}

export type TokenWatch = {
  readonly places: readonly Place[]
  /** True once nobody lets it in and nothing of it is open any more. */
  isOver(): boolean
  /** When the last of it was refused or ended; infinite while something is not. */
  overAt(): number
  /** When it was last seen to be let in, by the request or the session that was. */
  aliveAt(): number
  stop(): Promise<readonly string[]>
}

/** Uses a token at every gateway, by requests, by a stream and by a request that waits. */
export async function watchToken(options: {
  readonly urls: readonly string[]
  readonly token: string
  /** One that does not end. */
  readonly job: string
}): Promise<TokenWatch> {
  const { urls, token, job } = options
  const ending = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  const watched = await Promise.all(
    urls.map((url) => watchAt({ url, headers, job, ending: ending.signal })),
  )
  const places = watched.map(({ place }) => place)
  const overAt = () => Math.max(...places.map(endOf))
  return {
    places,
    isOver: () => Number.isFinite(overAt()),
    overAt,
    aliveAt: () => Math.max(...places.map(aliveUntil)),
    async stop() {
      ending.abort()
      await Promise.all(watched.map(({ running }) => running))
      return places.flatMap(({ url, faults }) => faults.map((fault) => `${url}: ${fault}`))
    },
  }
}

export function endOf({ refusedAt, streamEndedAt, waitEndedAt }: Place): number {
  const none = Number.POSITIVE_INFINITY
  return Math.max(refusedAt ?? none, streamEndedAt ?? none, waitEndedAt ?? none)
}

function aliveUntil({ admittedAt, streamEndedAt, waitEndedAt }: Place): number {
  const none = Number.POSITIVE_INFINITY
  return Math.max(admittedAt, streamEndedAt ?? none, waitEndedAt ?? none)
}

type Watching = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly job: string
  readonly ending: AbortSignal
}

async function watchAt(watching: Watching) {
  const { url } = watching
  const place: Place = {
    ...{ url, admittedAt: 0, refusedAt: undefined, faults: [] },
    ...{ streamEndedAt: undefined, waitEndedAt: undefined },
  }
  const stream = await openStream(watching)
  const waiting = longPoll(watching, place)
  const running = Promise.all([followStream(stream, place), waiting, ask(watching, place)])
  await Bun.sleep(settleMs)
  if (place.waitEndedAt !== undefined) place.faults.push('a long poll ended before it was revoked')
  return { place, running }
}

async function openStream({ url, headers, job, ending }: Watching) {
  const answer = await fetch(`${url}/v1/jobs/${job}/events`, { headers, signal: ending })
  if (!answer.ok || answer.body === null) throw new Error(`no stream: ${await answer.text()}`)
  const reader = answer.body.getReader()
  await reader.read()
  return reader
}

async function followStream(
  reader: { read(): Promise<{ readonly done: boolean }> },
  place: Place,
): Promise<void> {
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read());
  } catch {
    // Ended from either side.
  }
  place.streamEndedAt = wall()
}

async function longPoll({ url, headers, job, ending }: Watching, place: Place): Promise<void> {
  try {
    const answer = await fetch(`${url}/v1/jobs/${job}?wait=${waitSeconds}`, {
      ...{ headers, signal: ending },
    })
    await answer.arrayBuffer()
    if (answer.ok) place.faults.push('a long poll was answered with the job')
  } catch {
    // Ended from either side.
  }
  place.waitEndedAt = wall()
}

/** This route needs the token and nothing else: whatever is no 401 and no 503 was let in. */
async function ask({ url, headers, ending }: Watching, place: Place): Promise<void> {
  while (!ending.aborted) {
    const sentAt = wall()
    const signal = AbortSignal.any([ending, AbortSignal.timeout(answerMsMax)])
    const request = fetch(`${url}/v1/kinds`, { method: 'HEAD', headers, signal })
    const answer = await request.catch(() => undefined)
    if (answer !== undefined) judge(place, answer.status, sentAt)
    await Bun.sleep(probeMs)
  }
}

function judge(place: Place, status: number, sentAt: number): void {
  if (status === 401 || status === 503) {
    place.refusedAt ??= wall()
    return
  }
  place.admittedAt = sentAt
  if (place.refusedAt === undefined) return
  place.faults.push(`let in again ${(sentAt - place.refusedAt).toFixed(0)} ms after a refusal`)
  place.refusedAt = undefined
}

export type HeldRequest = {
  /** Sends the rest; the status of the answer. */
  finish(): Promise<number>
}

/** A request whose head and half of whose body are there: its token has been looked at. */
export async function holdRequest(url: string, token: string, body: string): Promise<HeldRequest> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const { promise: answered, resolve } = Promise.withResolvers<number>()
  socket.on('data', (bytes) => resolve(Number(bytes.toString('latin1').split(' ')[1])))
  socket.on('error', () => resolve(0))
  socket.on('close', () => resolve(0))
  const half = body.length >> 1
  socket.write(
    [
      'POST /v1/jobs/score-wallet HTTP/1.1',
      'Host: postern',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `Idempotency-Key: held-${Bun.randomUUIDv7()}`,
      '',
      body.slice(0, half),
    ].join('\r\n'),
  )
  await Bun.sleep(settleMs)
  return {
    async finish() {
      socket.write(body.slice(half))
      const status = await answered
      socket.destroy()
      return status
    },
  }
}
