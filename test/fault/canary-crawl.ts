import { readdir, readFile, readlink } from 'node:fs/promises'
import { z } from 'zod'
import { type CanaryStage, type ProcessName, processNames } from './canary-stage.ts'

const document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ requestBody: z.unknown().optional() })),
  ),
})

/** Where other programs show their memory. */
const dumpPaths = [
  ...['/debug', '/debug/pprof/heap', '/debug/vars', '/debug/heap', '/internal/debug', '/heapdump'],
  ...['/internal/heap', '/internal/heapdump', '/internal/core', '/internal/profile', '/env'],
  ...['/json', '/json/list', '/json/version', '/inspect', '/actuator/heapdump', '/actuator/env'],
  ...['/internal/config', '/internal/environment', '/config', '/.env', '/proc/self/environ'],
]
const dumpRoute = /debug|heap|dump|profile|pprof|inspect|snapshot|environ|config/i

const parameterValues: Readonly<Record<string, string>> = {
  kind: 'score-wallet',
  wallet: '4Nd1mYV9nBqz1cB9G7G7S3xqkPq6nX9p6vXxCkR9r9aB',
}

type Crawl = { readonly routes: number; readonly refusals: number; readonly problems: string[] }

/** Every GET route as somebody with every scope, and refusals of every route. */
export async function crawl(stage: CanaryStage, jobId: string): Promise<Crawl> {
  const { paths } = document.parse(JSON.parse((await stage.ask('/openapi.json')).text))
  const authorization = `Bearer ${await stage.token('reader')}`
  const problems = Object.keys(paths)
    .filter((path) => dumpRoute.test(path))
    .map((path) => `there is a route ${path}`)
  const operations = operationsOf(paths, jobId)
  const reads = operations.filter(({ method, path }) => method === 'get' && !isStream(path))
  for (const { path } of reads) {
    const { status } = await stage.ask(path, { headers: { authorization } })
    if (status === 401 || status === 403) problems.push(`GET ${path}: ${status}`)
  }
  let refusals = 0
  for (const operation of operations) refusals += await refuse(stage, operation)
  return { routes: reads.length, refusals, problems }
}

const isStream = (path: string) => path.includes('events')
const names = ['postern/database', 'desk/echo', 'check-rotation']

function operationsOf(paths: z.infer<typeof document>['paths'], id: string): readonly Operation[] {
  return Object.entries(paths).flatMap(([template, methods]) =>
    (template.includes('{name}') ? names : ['']).flatMap((name) => {
      const path = fill(template, { ...parameterValues, id, name })
      return Object.entries(methods).map(([method, { requestBody }]) => {
        return { method, path, hasBody: requestBody !== undefined }
      })
    }),
  )
}

function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'x')
}

type Operation = { readonly method: string; readonly path: string; readonly hasBody: boolean }

async function refuse(stage: CanaryStage, { method, path, hasBody }: Operation): Promise<number> {
  const verb = method.toUpperCase()
  const { ask, token } = stage
  await ask(path, { method: verb, headers: { authorization: 'Bearer x.y.z' } })
  const bare = `Bearer ${await token('bare', [])}`
  await ask(path, { method: verb, headers: { authorization: bare } })
  if (!hasBody) return 2
  const headers = { authorization: `Bearer ${await token('clumsy')}` }
  const typed = { ...headers, 'content-type': 'application/json' }
  await ask(path, { method: verb, headers: typed, body: '{"torn": ' })
  await ask(path, { method: verb, headers: typed, body: '{"unknown": 1}' })
  return 4
}

/** No port of ours shows memory or settings. */
export async function askForDumps({ ask, token, ports, keep }: CanaryStage): Promise<string[]> {
  const problems: string[] = []
  const headers = { authorization: `Bearer ${await token('curious')}` }
  for (const path of dumpPaths) {
    const { status } = await ask(path, { headers })
    if (status !== 404) problems.push(`${path}: ${status}`)
    for (const [name, port] of Object.entries(ports)) {
      if (name === 'serve') continue
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      keep(`${name} ${path}`, await answer.text())
      if (answer.status !== 404) problems.push(`${name} ${path}: ${answer.status}`)
    }
  }
  return problems
}

/** The pages of all, gateway and probes. */
export async function readMetrics({ ask, token, ports, keep }: CanaryStage): Promise<void> {
  await ask('/internal/metrics', { headers: { authorization: `Bearer ${await token('metrics')}` } })
  for (const [name, port] of Object.entries(ports)) {
    if (name === 'serve') continue
    for (const path of ['/metrics', '/readyz', '/healthz']) {
      keep(`${name} ${path}`, await (await fetch(`http://127.0.0.1:${port}${path}`)).text())
    }
  }
}

/** Each process listens where its settings say, and nowhere else: no inspector, no debugger. */
export async function strayPorts({ children, ports }: CanaryStage): Promise<string[]> {
  const problems: string[] = []
  for (const name of processNames) {
    const pid = children.get(name)?.pid
    if (pid === undefined) continue
    const listening = await listeningPorts(pid)
    const stray = listening.filter((port) => port !== ports[name])
    if (stray.length > 0) problems.push(`${name} listens on ${stray.join()} as well`)
    if (!listening.includes(ports[name])) problems.push(`${name} does not listen where it should`)
  }
  return problems
}

async function listeningPorts(pid: number): Promise<readonly number[]> {
  const files = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(
    files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')),
  )
  const inodes = new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  )
  return tables
    .join('\n')
    .split('\n')
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      return state === '0A' && inodes.has(inode)
        ? [Number.parseInt(local.split(':')[1] ?? '', 16)]
        : []
    })
}

/** What anybody on the host sees of one process. */
export async function titleOf(pid: number, name: ProcessName): Promise<readonly [string, string]> {
  const files = ['environ', 'cmdline', 'comm', 'status'].map((file) => `/proc/${pid}/${file}`)
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')))
  return [`environment and arguments of ${name}`, texts.join('\n')]
}
