import { Option } from 'commander'
import type { Config } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { supervise } from './supervise.ts'
import { wholeNumberArgument } from './whole-number-argument.ts'

/** Gateways of one supervisor: more cores than a machine of this kind has. */
const processesMax = 64

export const parseIndex = wholeNumberArgument(0, processesMax - 1)

export function processesOption(): Option {
  return new Option('--processes <count>', 'gateways that share the port, one a core')
    .argParser(wholeNumberArgument(1, processesMax))
    .default(1)
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
