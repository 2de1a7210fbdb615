import { Command } from 'commander'
import { openLog } from '#core/log.ts'
import type { CommandIo } from './command-io.ts'
import { serveSettings } from './foundation.ts'
import { examples } from './manual.ts'
import { auditSettings, isSequenced } from './open-audit.ts'
import { requireSettings } from './require-settings.ts'
import { supervise } from './supervise.ts'

export function runCommand(io: CommandIo): Command {
  return new Command('run')
    .summary('gateway, workers, sequencer and rotator: what the image starts')
    .description(`Takes the settings of \`serve\`, \`work\`, \`audit sequence\` and \`rotator\`; in development the
sequencer starts only where POSTERN_AUDIT_ORIGIN is set, and the rotator only where
POSTERN_SECRET_STORE is. A child that ends is started again, after 250 ms at first and
10 s at most; one that refuses its configuration ends the whole with exit 78. SIGTERM reaches all of
them, which get POSTERN_DRAIN_SECONDS.`)
    .addHelpText('after', examples('postern run', 'POSTERN_DRAIN_SECONDS=60 postern run'))
    .action(() => run(io))
}

async function run(io: CommandIo): Promise<void> {
  const config = io.config()
  // What happens in production is proved or does not happen.
  const needed = isSequenced(config) ? auditSettings : []
  requireSettings(config, [...serveSettings(config), ...needed])
  // Unbuffered: the supervisor has little to say, and it must not be lost.
  const log = openLog({
    level: config.POSTERN_LOG_LEVEL,
    fields: { process: 'supervisor' },
    sync: true,
  })
  process.exitCode = await supervise({
    parts: [
      ...['serve', 'work'],
      ...(isSequenced(config) ? ['audit sequence'] : []),
      ...(config.POSTERN_SECRET_STORE === undefined ? [] : ['rotator']),
    ],
    self: io.self,
    environment: io.environment,
    drainMs: config.POSTERN_DRAIN_SECONDS * 1_000,
    log,
    terminated: io.terminated,
  })
}
