import { readFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { Argument, Command } from 'commander'
import type { Config } from '#core/config.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { examples } from './manual.ts'
import { isSequenced } from './open-audit.ts'

/** Below the 3 s after which the image's HEALTHCHECK gives up, so that the reason gets out. */
const answerMsMax = 2_000

const parts = ['serve', 'work', 'sequence', 'rotator', 'run'] as const
type Part = (typeof parts)[number]

export type ProbeTarget = {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
}
/** `absent`: nobody listens there. */
export type ProbeAnswer = {
  readonly state: 'alive' | 'absent' | 'failing'
  readonly detail: string
}

export function healthcheckCommand(io: CommandIo): Command {
  return new Command('healthcheck')
    .summary('ask the process on this machine whether it is alive; exit 0 or 1')
    .description(`Asks /healthz on POSTERN_LISTEN_PORT (serve), POSTERN_PROBE_PORT (work), POSTERN_SEQUENCER_PROBE_PORT
(sequence), POSTERN_ROTATOR_PROBE_PORT (rotator) or all of them (run). When process 1 is none of these, whoever listens must be alive, and somebody must listen.`)
    .addArgument(
      new Argument('[part]', 'by default what process 1 of the container runs').choices(parts),
    )
    .addHelpText('after', examples('postern healthcheck', 'postern healthcheck work'))
    .action((name: string | undefined) => healthcheck(io, name))
}

async function healthcheck(io: CommandIo, name: string | undefined): Promise<void> {
  const asked = partOf(name ?? (await firstProcess()))
  const targets = probeTargets(io.config(), asked)
  const answers = await Promise.all(targets.map(askAlive))
  const isHealthy = judge(answers, asked !== undefined)
  for (const answer of answers) {
    if (isHealthy !== (answer.state === 'alive')) continue
    ;(isHealthy ? io.stdout : io.stderr).write(`${answer.detail}\n`)
  }
  process.exitCode = isHealthy ? exitCodes.ok : exitCodes.failed
}

/** With all of them named, all must be alive; else one must be, and none may fail. */
export function judge(answers: readonly ProbeAnswer[], areAllNeeded: boolean): boolean {
  const isAlive = (answer: ProbeAnswer) => answer.state === 'alive'
  if (areAllNeeded) return answers.every(isAlive)
  return answers.some(isAlive) && !answers.some((answer) => answer.state === 'failing')
}

/** The part that a NUL-separated command line starts, if it is one of ours. */
export function partOf(commandLine: string): Part | undefined {
  const words = commandLine.split('\0')
  return words.includes('up') ? 'serve' : parts.find((name) => words.includes(name))
}

async function firstProcess(): Promise<string> {
  try {
    return await readFile('/proc/1/cmdline', 'utf8')
  } catch {
    return ''
  }
}

export function probeTargets(config: Config, asked: Part | undefined): ProbeTarget[] {
  const gateway: ProbeTarget = {
    scheme: config.POSTERN_TLS_CERTIFICATE === undefined ? 'http' : 'https',
    host: reachable(config.POSTERN_LISTEN_ADDRESS),
    port: config.POSTERN_LISTEN_PORT,
  }
  const worker: ProbeTarget = { scheme: 'http', host: '127.0.0.1', port: config.POSTERN_PROBE_PORT }
  if (asked === 'serve') return [gateway]
  const sequencer: ProbeTarget = { ...worker, port: config.POSTERN_SEQUENCER_PROBE_PORT }
  if (asked === 'work') return [worker]
  if (asked === 'sequence') return [sequencer]
  const rotator: ProbeTarget = { ...worker, port: config.POSTERN_ROTATOR_PROBE_PORT }
  if (asked === 'rotator') return [rotator]
  return [
    ...[gateway, worker],
    ...(isSequenced(config) ? [sequencer] : []),
    ...(config.POSTERN_SECRET_STORE === undefined ? [] : [rotator]),
  ]
}

/** A listener on every address is asked on loopback. */
export function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

/**
 * node:http and not fetch: fetch would go through HTTP_PROXY.
 *
 * The certificate is not verified: it carries the service's name and not the loopback address,
 * its trust anchor may be in a secret store that liveness must not touch, the target is this
 * machine, and nothing secret is sent. A listener that demands a client certificate refuses us in
 * the handshake, which only a live one can do.
 */
export async function askAlive(target: ProbeTarget): Promise<ProbeAnswer> {
  const { scheme, host, port } = target
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const url = `${scheme}://${authority}/healthz`
  const { promise, resolve } = Promise.withResolvers<ProbeAnswer>()
  const request = (scheme === 'https' ? https : http).get(
    url,
    { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(answerMsMax) },
    (response) => {
      response.resume()
      const isAlive = response.statusCode === 200
      const detail = `${url} answered ${response.statusCode}`
      resolve({ state: isAlive ? 'alive' : 'failing', detail })
    },
  )
  request.on('error', (error: NodeJS.ErrnoException) => {
    resolve(describeFailure(url, error))
  })
  return await promise
}

function describeFailure(url: string, error: NodeJS.ErrnoException): ProbeAnswer {
  if (error.code === 'ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED') {
    return { state: 'alive', detail: `${url} asked for a client certificate` }
  }
  const state = error.code === 'ECONNREFUSED' ? 'absent' : 'failing'
  return { state, detail: `${url}: ${error.message}` }
}
