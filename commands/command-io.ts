import type { Config } from '#core/config.ts'

/** What a command is handed by `main.ts`; nothing in here is read from elsewhere. */
export type CommandIo = {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Parsed at the first call; throws `ConfigError`. */
  readonly config: () => Config
  /** The environment's variables as they are, for what is not ours to parse. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** What this process was started as, so that it can start itself again: binary, or Bun and script. */
  readonly self: readonly string[]
  /** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
  readonly terminated: () => Promise<NodeJS.Signals>
}

/** sysexits(3): what a script can tell apart. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 64,
  badData: 65,
  tryAgain: 75,
  configuration: 78,
} as const
