import pino from 'pino'

/** `event` is the name to search for; `msg` never varies and nothing is interpolated. */
export type Log = {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  child(fields: LogFields): Log
  /** Writes out what is buffered; called before the process ends. */
  flush(): void
}

export type LogFields = Readonly<Record<string, unknown>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** The backstop only: nothing that holds a value under these names may be logged at all. */
const redactedKeys: ReadonlySet<string> = new Set([
  'authorization',
  'token',
  'password',
  'secret',
  'privateKey',
  'payload',
  'body',
  'cookie',
])

/** Lines are handed to the kernel in chunks: a write per line costs more than the request. */
const gatheredCharactersMax = 16_384
const gatheredMsMax = 100

export function openLog(options: { level: LogLevel; fields?: LogFields; sync?: boolean }): Log {
  const destination = pino.destination({ dest: 1, sync: options.sync ?? false })
  const lines = gatherLines((text) => destination.write(text))
  // What an asynchronous write has only begun is lost when the process ends.
  const last = pino.destination({ dest: 1, sync: true })
  const logger = pino(
    {
      level: options.level,
      base: options.fields ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { error: describeError },
    },
    options.sync === true ? destination : lines,
  )
  return wrap(logger, () => {
    destination.flushSync()
    last.write(lines.take())
  })
}

/** By hand, because pino's destination measures all it has gathered again at every line. */
function gatherLines(output: (text: string) => void) {
  let lines: string[] = []
  let characters = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function take(): string {
    clearTimeout(timer)
    timer = undefined
    const text = lines.join('')
    lines = []
    characters = 0
    return text
  }

  const hand = () => output(take())

  function write(line: string): void {
    lines.push(line)
    characters += line.length
    if (characters >= gatheredCharactersMax) hand()
    else timer ??= setTimeout(hand, gatheredMsMax)
  }

  return { write, take }
}

/** Two levels deep. By hand, because pino's own redaction costs more than the rest of a line. */
function redact(fields: Record<string, unknown>): Record<string, unknown> {
  for (const key in fields) {
    const value = fields[key]
    if (redactedKeys.has(key)) fields[key] = '[redacted]'
    else if (isPlainObject(value)) fields[key] = redactMembers(value)
  }
  return fields
}

function redactMembers(object: object): Record<string, unknown> {
  const members = Object.entries(object)
  return Object.fromEntries(
    members.map(([key, value]) => [key, redactedKeys.has(key) ? '[redacted]' : value]),
  )
}

function isPlainObject(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}

function wrap(logger: pino.Logger, flush: () => void): Log {
  return {
    debug: (event, fields) => logger.debug({ event, ...fields }),
    info: (event, fields) => logger.info({ event, ...fields }),
    warn: (event, fields) => logger.warn({ event, ...fields }),
    error: (event, fields) => logger.error({ event, ...fields }),
    child: (fields) => wrap(logger.child(redact({ ...fields })), flush),
    flush,
  }
}

/** An error's own words and stack; never its enumerable members, which may hold a payload. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  return {
    name: error.name,
    message: error.message,
    code: 'code' in error ? error.code : undefined,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  }
}

/** For tests and for commands whose output is for people. */
export function silentLog(): Log {
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => log,
    flush: () => undefined,
  }
  return log
}
