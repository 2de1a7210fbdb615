// Loaded before a command (`bun --preload`) to make it end by a bug whose error carries a credential
// the way drivers' errors do. Reads `CRASH` (which bug) and `CRASH_URL_FILE` (a URL with the password),
// which no setting of ours is.
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import postgres from 'postgres'

const { CRASH: bug = '', CRASH_URL_FILE: file = '', CRASH_AT: at = '1' } = Bun.env
const url = file === '' ? '' : readFileSync(file, 'utf8')
const connectionOptions = { max: 1, onnotice: () => undefined }

const bugs: Readonly<Record<string, () => unknown>> = {
  // The command with its arguments is a member of ioredis' error.
  redis: async () => {
    const { username, password } = new URL(url)
    const open = new Redis(withoutUser(url))
    await open.auth(decodeURIComponent(username), decodeURIComponent(password))
  },
  // Statement and parameters are members of the error of postgres.js.
  postgres: () => postgres(url, connectionOptions)`select 1`.execute(),
  // The address is a member of the error of fetch.
  fetch: () => fetch(url.replace(/^\w+/, 'http').replace(/:\d+(?=\/|$)/, ':1')),
  cause: () => {
    const options = { url, password: url }
    const inner = Object.assign(new Error('inner'), { options, config: { url } })
    return Promise.reject(Object.assign(new Error('outer', { cause: inner }), { url }))
  },
  aggregate: () =>
    Promise.reject(new AggregateError([Object.assign(new Error('x'), { url })], 'all')),
  object: () => Promise.reject({ url, reason: 'no error at all' }),
  exception: () => {
    throw Object.assign(new Error('thrown', { cause: { url } }), { url })
  },
}

function withoutUser(text: string): string {
  const parsed = new URL(text)
  return `redis://${parsed.host}`
}

let first: unknown
/** The first is heard by the command line, the second by the log of a process that lives. */
const timer = setInterval(() => {
  const [listener] = process.listeners('unhandledRejection')
  first ??= listener
  if (listener === undefined || (at === '2' && listener === first)) return
  clearInterval(timer)
  void bugs[bug]?.()
}, 1)
