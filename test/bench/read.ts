import { createHmac } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { benchAccess } from './bench-access.ts'
import { startDatabases } from './databases.ts'
import { type Figure, inTurns, note, printFigures } from './figures.ts'
import { requestsPerSecond, untilAnswered } from './http-load.ts'
import { type SideProcess, startProcess, startSide } from './side-process.ts'

/**
 * Admitted reads a second: address, token (seen before), scope and limit, and an answer that costs
 * nothing. Beside HAProxy, one thread, which checks address and HS256 signature and answers.
 *
 *   bun test/bench/read.ts [--json]
 */
const rounds = 7
const warmUpSeconds = 3
const seconds = 2
const connections = 50
const required = { chain: 0.8, full: 0.5 } as const

type Side = 'haproxy' | 'chain' | 'full'

export async function readFigures(): Promise<Figure[]> {
  const databases = await startDatabases()
  const access = await benchAccess()
  const haproxy = await startHaproxy()
  const processes: SideProcess[] = [haproxy.process]
  const targets = { haproxy, chain: await open('chain'), full: await open('full') }

  note(`read, ${connections} connections`)
  for (const side of ['haproxy', 'chain', 'full'] as const) await round(side, warmUpSeconds)
  const turns = await inTurns<Side>(rounds, {
    haproxy: () => round('haproxy', seconds),
    chain: () => round('chain', seconds),
    full: () => round('full', seconds),
  })
  await Promise.all(processes.map((process) => process.stop('SIGKILL')))
  await databases.close()
  return (['chain', 'full'] as const).map((side) => ({
    name: `read over HTTP, ${names[side]}`,
    unit: 'requests/s',
    ours: turns.medianOf(side),
    baseline: turns.baseline(side, 'haproxy', 'HAProxy, one thread'),
    required: { ratioMin: required[side] },
  }))

  async function open(side: 'chain' | 'full') {
    const port = await freePort()
    const document = JSON.stringify(access.document)
    processes.push(startSide(['gateway-side.ts', side, String(port), document], databases))
    const url = `http://127.0.0.1:${port}/v1/nothing`
    await untilAnswered(url, access.token)
    return { url, token: access.token }
  }

  function round(side: Side, duration: number): Promise<number> {
    const { url, token } = targets[side]
    return requestsPerSecond({ url, token, connections, seconds: duration })
  }
}

const names = { chain: 'access chain alone', full: 'with log line, metrics and audit' } as const

/** Checks what the chain checks, as far as HAProxy can: the source address and the signature. */
async function startHaproxy(): Promise<{ process: SideProcess; url: string; token: string }> {
  const binary = Bun.which('haproxy') ?? Bun.which('haproxy', { PATH: '/usr/sbin' })
  if (binary === null) {
    throw new Error(
      'haproxy 2.5 or newer is needed: install it (Debian: apt-get install haproxy; ' +
        'macOS: brew install haproxy)',
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
  removeAtExit(folder)
  const port = await freePort()
  const key = crypto.randomUUID()
  const path = join(folder, 'haproxy.cfg')
  await writeFile(path, haproxyConfig(port, key))
  const process = startProcess([binary, '-db', '-q', '-f', path])
  const url = `http://127.0.0.1:${port}/v1/nothing`
  const token = signHs256(key)
  await untilAnswered(url, token)
  const forged = await fetch(url, { headers: { authorization: `Bearer ${signHs256('other')}` } })
  if (forged.status !== 403) throw new Error('HAProxy lets a forged token pass')
  return { process, url, token }
}

function haproxyConfig(port: number, key: string): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend read
  bind 127.0.0.1:${port}
  acl inside src 127.0.0.0/8
  http-request deny unless inside
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny unless { var(txn.alg) -m str HS256 }
  http-request deny unless { var(txn.bearer),jwt_verify(txn.alg,"${key}") 1 }
  http-request return status 200 content-type application/json string '{"status":"ok"}'
`
}

function signHs256(key: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const issuedAt = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: 'bench',
    aud: 'postern',
    sub: 'bench',
    iat: issuedAt,
    exp: issuedAt + 3_600,
  }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

if (import.meta.main) printFigures(await readFigures())
