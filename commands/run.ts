import { Command } from 'commander'
import type { CommandIo } from './command-io.ts'
import { serveSettings } from './foundation.ts'
import { examples } from './manual.ts'
import { auditSettings, isSequenced } from './open-audit.ts'
import { claimPort, processesOption, superviseParts } from './processes.ts'
import { requireSettings } from './require-settings.ts'
import { gatewayParts } from './supervise.ts'

export function runCommand(io: CommandIo): Command {
  return new Command('run')
    .summary('gateway, workers, sequencer and rotator: what the image starts')
    .description(`Takes the settings of \`serve\`, \`work\`, \`audit sequence\` and \`rotator\`; in development the
sequencer starts only where POSTERN_AUDIT_ORIGIN is set, and the rotator only where
POSTERN_SECRET_STORE is. A child that ends is started again, after 250 ms at first and
10 s at most; one that refuses its configuration ends the whole with exit 78. SIGTERM reaches all of
them, which get POSTERN_DRAIN_SECONDS.`)
    .addOption(processesOption())
    .addHelpText(
      'after',
      examples('postern run', 'POSTERN_DRAIN_SECONDS=60 postern run', 'postern run --processes 2'),
    )
    .action(({ processes }: { readonly processes: number }) => run(io, processes))
}

async function run(io: CommandIo, processes: number): Promise<void> {
  const config = io.config()
  // What happens in production is proved or does not happen.
  const needed = isSequenced(config) ? auditSettings : []
  requireSettings(config, [...serveSettings(config), ...needed])
  if (processes > 1) claimPort(config)
  process.exitCode = await superviseParts(io, [
    ...gatewayParts(processes),
    'work',
    ...(isSequenced(config) ? ['audit sequence'] : []),
    ...(config.POSTERN_SECRET_STORE === undefined ? [] : ['rotator']),
  ])
}
