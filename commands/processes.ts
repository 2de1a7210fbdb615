import { InvalidArgumentError, Option } from 'commander'
import type { Config } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { supervise } from './supervise.ts'

/** Gateways of one supervisor: more cores than a machine of this kind has. */
const processesMax = 64

export function processesOption(): Option {
  return new Option('--processes <count>', 'gateways that share the port, one a core')
    .argParser(parseProcesses)
    .default(1)
}

export function parseIndex(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) < processesMax) return Number(text)
  throw new InvalidArgumentError(`a whole number below ${processesMax}`)
}

function parseProcesses(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= processesMax)
    return Number(text)
  throw new InvalidArgumentError(`a whole number from 1 to ${processesMax}`)
}

/** Those who share a port would share it with a stranger too: nobody may listen there before them. */
export function claimPort(config: Config): void {
  const place = { address: config.POSTERN_LISTEN_ADDRESS, port: config.POSTERN_LISTEN_PORT }
  const fetch = () => new Response(null, { status: 503 })
  const { address: hostname, port } = place
  const open = () => Bun.serve({ hostname, port, reusePort: false, development: false, fetch })
  void bind('POSTERN_LISTEN_PORT', place, open).stop(true)
}

/** Resolves with the exit code. */
export async function superviseParts(io: CommandIo, parts: readonly string[]): Promise<number> {
  const config = io.config()
  // Unbuffered: the supervisor has little to say, and it must not be lost.
  const fields = { process: 'supervisor' }
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields, sync: true })
  return await supervise({
    parts,
    self: io.self,
    environment: io.environment,
    drainMs: config.POSTERN_DRAIN_SECONDS * 1_000,
    log,
    terminated: io.terminated,
  })
}
