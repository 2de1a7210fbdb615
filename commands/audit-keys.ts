import { Command } from 'commander'
import type { CommandIo } from './command-io.ts'
import { signingKeys } from './follow-log-keys.ts'
import { examples } from './manual.ts'
import { openAuditSettings } from './open-audit.ts'
import { openSecretReader } from './open-secret-store.ts'

export function auditKeysCommand(io: CommandIo): Command {
  return new Command('keys')
    .summary('print the verifier keys of those who sign the log, newest first')
    .description(`They are public: verifiers and witnesses need one of them. After a rotation both the new key and the
one before it sign, until the next rotation. Needs the settings of \`audit sequence\`, no database.`)
    .addHelpText('after', examples('postern audit keys > log.vkey'))
    .action(async () => {
      const config = io.config()
      const { keys } = await openAuditSettings(config, openSecretReader(config))
      io.stdout.write(
        signingKeys(keys())
          .map((key) => `${key}\n`)
          .join(''),
      )
    })
}
