import { createServer } from 'node:net'
import type { Subprocess } from 'bun'

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'

export type ServerProcess = {
  readonly pid: number
  /** Resolves with the exit code once the process is gone; after `graceMs` it is killed. */
  stop(signal: Signal): Promise<void>
  signal(signal: Signal): void
}

const readyTimeoutMs = 60_000
const stopTimeoutMs = 10_000

// `bun test` ends without an exit event, and a test process may be killed. A shell that reads our
// words until the pipe breaks then ends the servers we did not end and removes their files.
const guardScript = `
trap '' INT TERM HUP
pids=; directories=
while read -r word value; do
  case $word in
    started) pids="$pids $value " ;;
    ended) pids=$(printf %s "$pids" | sed "s/ $value //") ;;
    directory) directories="$directories $value" ;;
  esac
done
kill -QUIT $pids 2>/dev/null
kill -CONT $pids 2>/dev/null
for turn in 1 2 3 4 5 6 7 8 9 10; do kill -0 $pids 2>/dev/null && sleep 0.2; done
kill -KILL $pids 2>/dev/null
rm -rf $directories
`

let guard: Subprocess<'pipe', 'ignore', 'ignore'> | undefined

function tellGuard(word: 'started' | 'ended' | 'directory', value: string | number): void {
  if (guard === undefined) {
    guard = Bun.spawn(['sh', '-c', guardScript], {
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    guard.unref()
  }
  void guard.stdin.write(`${word} ${value}\n`)
  void guard.stdin.flush()
}

/** A directory without blanks in its name. */
export function removeAtExit(directory: string): void {
  tellGuard('directory', directory)
}

/** Starts a server and resolves once its output says that it is ready. */
export async function startServer(options: {
  readonly command: readonly string[]
  readonly ready: RegExp
  readonly cwd?: string
  /** Hears all that the server prints. */
  readonly onLine?: ((line: string) => void) | undefined
}): Promise<ServerProcess> {
  const child = Bun.spawn([...options.command], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  tellGuard('started', child.pid)
  child.unref()
  void child.exited.then(() => tellGuard('ended', child.pid))
  const output: string[] = []
  const { promise: ready, resolve } = Promise.withResolvers<'ready'>()
  const onLine = (line: string) => {
    if (output.length < 200) output.push(line)
    options.onLine?.(line)
    if (options.ready.test(line)) resolve('ready')
  }
  void readLines(child.stdout, onLine)
  void readLines(child.stderr, onLine)
  const outcome = await Promise.race([
    ready,
    child.exited,
    Bun.sleep(readyTimeoutMs).then(() => 'too late' as const),
  ])
  if (outcome !== 'ready') {
    child.kill('SIGKILL')
    throw new Error(`${options.command.join(' ')} did not start (${outcome})\n${output.join('\n')}`)
  }
  return {
    pid: child.pid,
    async stop(signal) {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await child.exited
      clearTimeout(late)
    },
    signal: (signal) => child.kill(signal),
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
}

/** Where kernels give no port by themselves, to a client or to who listens on port 0. */
const ownPorts = { from: 10_000, count: 22_000 }
const givenPorts = new Set<number>()

/** A loopback port that was free a moment ago, and that nobody is given by chance until it is bound. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ownPorts.from + Math.floor(Math.random() * ownPorts.count)
    if (givenPorts.has(port)) continue
    givenPorts.add(port)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return await promise
}

/** Runs a command to its end and returns its output; throws with what it said when it fails. */
export async function runCommand(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (code !== 0) throw new Error(`${command.join(' ')} exited ${code}\n${out}${err}`)
  return out
}
