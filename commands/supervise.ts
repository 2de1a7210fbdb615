import type { Log } from '#core/log.ts'
import { collectorEnvironment } from './collector.ts'
import { exitCodes } from './command-io.ts'
import { reapOrphans } from './reap-orphans.ts'
import { type MetricsExchange, metricsExchange } from './sibling-metrics.ts'

/** The first restart comes at once for a person, the last ones leave a broken database alone. */
const restartMsMin = 250
const restartMsMax = 10_000
/** A child that lived this long was healthy: its end is a new story. */
const healthyMs = 60_000
/** For a child that drains up to its own deadline, to write its last lines and end by itself. */
const drainGraceMs = 2_000

/** Names that a child needs besides `POSTERN_*`; everything else stays with the supervisor. */
const inheritedNames = new Set([
  ...['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'NO_COLOR', 'DO_NOT_TRACK'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'],
  // Where AWS puts the role of a task (ECS) or of a pod (EKS); no name of these holds a key.
  ...['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'],
  ...['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ...['AWS_REGION'],
])

/** A gateway that shares its port; the number behind it is its own. */
const siblingPart = 'serve --sibling '

/** What to run for so many gateways: one has its port to itself. */
export function gatewayParts(processes: number): readonly string[] {
  if (processes === 1) return ['serve']
  return Array.from({ length: processes }, (_, index) => `${siblingPart}${index}`)
}

type Environment = Readonly<Record<string, string | undefined>>

export type SupervisorOptions = {
  /** Arguments of `self`, blanks between them: one child for each. */
  readonly parts: readonly string[]
  readonly self: readonly string[]
  readonly environment: Environment
  readonly drainMs: number
  readonly log: Log
  readonly terminated: () => Promise<NodeJS.Signals>
}

/** Milliseconds to wait after the nth end of a child in a row, counted from 1. */
export function restartDelayMs(ends: number): number {
  return Math.min(restartMsMax, restartMsMin * 2 ** (ends - 1))
}

/** How many ends in a row this one makes. */
export function countEnds(before: number, ranMs: number): number {
  return ranMs >= healthyMs ? 1 : before + 1
}

/** What a child may see, and how its collector is set. */
export function childEnvironment(environment: Environment): Record<string, string> {
  const allowed = Object.entries(environment).flatMap(([name, value]) => {
    const isAllowed = name.startsWith('POSTERN_') || inheritedNames.has(name)
    return isAllowed && value !== undefined ? [[name, value] as const] : []
  })
  return { ...Object.fromEntries(allowed), ...collectorEnvironment }
}

/**
 * Keeps one child per part running until a signal comes; resolves with the exit code. 0: every
 * child drained by itself; 78: a child refused its configuration, which a restart cannot mend;
 * 1: a child had to be killed or failed while draining.
 */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const { parts, drainMs, log } = options
  const stop = Promise.withResolvers<number>()
  const children = new Map<number, Bun.Subprocess>()
  const signalAll = (signal: 'SIGTERM' | 'SIGKILL') => {
    for (const child of children.values()) child.kill(signal)
  }
  const killAll = () => signalAll('SIGKILL')
  // A second signal ends this process at once, and no child may outlive it.
  process.once('exit', killAll)
  using _reaper = reapOrphans(children)
  void options.terminated().then((signal) => {
    log.info('supervisor.stopping', { signal })
    stop.resolve(exitCodes.ok)
  })
  let killTimer: Timer | undefined
  const exchange = metricsExchange()
  const state = { children, exchange, stopped: stop.promise, isStopping: false }
  void stop.promise.then(() => {
    state.isStopping = true
    signalAll('SIGTERM')
    killTimer = setTimeout(() => {
      log.error('supervisor.drain_exceeded', { drainMs })
      killAll()
    }, drainMs + drainGraceMs)
  })
  const lastCodes = await Promise.all(
    parts.map(async (part) => {
      const code = await keepRunning(part, state, options)
      if (code === exitCodes.configuration) stop.resolve(code)
      return code
    }),
  )
  const wanted = await stop.promise
  clearTimeout(killTimer)
  process.off('exit', killAll)
  if (wanted !== exitCodes.ok) return wanted
  return lastCodes.every((code) => code === exitCodes.ok) ? exitCodes.ok : exitCodes.failed
}

type SupervisorState = {
  /** By pid. */
  readonly children: Map<number, Bun.Subprocess>
  readonly exchange: MetricsExchange
  readonly stopped: Promise<number>
  readonly isStopping: boolean
}

/** Resolves with the last exit code of the part, once it is not to be started again. */
async function keepRunning(
  part: string,
  state: SupervisorState,
  options: SupervisorOptions,
): Promise<number> {
  let ends = 0
  while (!state.isStopping) {
    const startedAt = performance.now()
    const child = start(part, options, state.exchange)
    state.children.set(child.pid, child)
    const code = await child.exited
    state.children.delete(child.pid)
    state.exchange.remove(child)
    // It had not come to listen for signals, and so to open anything.
    if (state.isStopping && child.signalCode === 'SIGTERM') return exitCodes.ok
    if (state.isStopping || code === exitCodes.configuration) return code
    ends = countEnds(ends, performance.now() - startedAt)
    const restartMs = restartDelayMs(ends)
    options.log.error('supervisor.child_ended', {
      ...{ part, code, signal: child.signalCode, ends, restartMs },
    })
    await Promise.race([Bun.sleep(restartMs), state.stopped])
  }
  return exitCodes.ok
}

function start(
  part: string,
  { self, environment, log }: SupervisorOptions,
  exchange: MetricsExchange,
): Bun.Subprocess {
  const child = Bun.spawn([...self, ...part.split(' ')], {
    env: childEnvironment(environment),
    stdio: ['ignore', 'inherit', 'inherit'],
    // Outside our process group: a terminal's Ctrl-C would reach a child twice, by the terminal
    // and by us, and a second signal means "do not drain".
    detached: true,
    serialization: 'json',
    // Gateways that share a port ask over it; of all others it only says that we are still there.
    ipc: (message: unknown, from: Bun.Subprocess) => exchange.receive(from, message),
  })
  log.info('supervisor.child_started', { part, pid: child.pid })
  return child
}
