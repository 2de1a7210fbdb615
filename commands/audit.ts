import { Command } from 'commander'
import { auditExportCommand, auditMonitorCommand, auditTailCommand } from './audit-export.ts'
import { auditKeysCommand } from './audit-keys.ts'
import { auditCheckCommand, auditConsistencyCommand, auditProveCommand } from './audit-prove.ts'
import { auditFreezeCommand, auditResyncCommand } from './audit-repair.ts'
import { auditSequenceCommand } from './audit-sequence.ts'
import { auditGapsCommand, auditVerifyCommand } from './audit-verify.ts'
import type { CommandIo } from './command-io.ts'
import { examples } from './manual.ts'

export function auditCommand(io: CommandIo): Command {
  const reading = [auditVerifyCommand, auditGapsCommand, auditMonitorCommand]
  const proving = [auditProveCommand, auditCheckCommand, auditConsistencyCommand]
  const shipping = [auditExportCommand, auditTailCommand, auditKeysCommand]
  const running = [auditSequenceCommand, auditResyncCommand, auditFreezeCommand]
  const parent = new Command('audit')
    .summary('sequence, prove and verify the audit log')
    .description(
      `All but sequence, resync, freeze and keys need neither the server nor its database.`,
    )
  for (const command of [...reading, ...proving, ...shipping, ...running]) {
    parent.addCommand(command(io))
  }
  return parent.addHelpText(
    'after',
    examples(
      'postern audit verify --log ./audit --vkey log.vkey --strict',
      'postern audit prove 4711 --log ./audit --out 4711.tlog-proof',
      'postern audit check record.json 4711.tlog-proof --vkey log.vkey',
      'postern audit sequence',
    ),
  )
}
