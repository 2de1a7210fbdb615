import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit, runCommand } from '#test/support/server-process.ts'

export type HttpLoad = {
  readonly url: string
  readonly token?: string
  /** Makes the request a POST of this JSON text. */
  readonly body?: string
  readonly connections: number
  readonly seconds: number
}

/** Time for a server to answer its first request. */
const answerMsMax = 60_000

/** Requests a second by wrk; throws when an answer was not 2xx, so that no refusal counts as speed. */
export async function requestsPerSecond(load: HttpLoad): Promise<number> {
  const { url, token, body, connections, seconds } = load
  const wrk = Bun.which('wrk')
  if (wrk === null) {
    throw new Error(
      'wrk is needed: install it (Debian: apt-get install wrk; macOS: brew install wrk)',
    )
  }
  const script = body === undefined ? [] : ['-s', await postScript(body)]
  const header = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`]
  const output = await runCommand([
    ...[wrk, '-t', '1', '-c', String(connections), '-d', `${seconds}s`, ...script, ...header, url],
  ])
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1]
  if (refused !== undefined) throw new Error(`${url} refused ${refused} requests`)
  const measured = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1])
  if (!(measured > 0)) throw new Error(`wrk measured nothing at ${url}\n${output}`)
  return measured
}

async function postScript(body: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
  removeAtExit(folder)
  const path = join(folder, 'post.lua')
  await writeFile(
    path,
    `wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
wrk.body = [==[${body}]==]
`,
  )
  return path
}

/** Resolves with the milliseconds until the first 2xx; asks again every millisecond. */
export async function untilAnswered(url: string, token?: string): Promise<number> {
  const startedAt = performance.now()
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  for (;;) {
    const answer = await fetch(url, { headers }).catch(() => undefined)
    const waitedMs = performance.now() - startedAt
    await answer?.arrayBuffer()
    if (answer?.ok === true) return waitedMs
    if (waitedMs > answerMsMax) throw new Error(`${url} did not answer (${answer?.status})`)
    await Bun.sleep(1)
  }
}
