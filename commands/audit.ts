import { Command } from 'commander'
import { auditSequenceCommand } from './audit-sequence.ts'
import type { CommandIo } from './command-io.ts'

export function auditCommand(io: CommandIo): Command {
  return new Command('audit')
    .description('sequence, prove and verify the audit log')
    .addCommand(auditSequenceCommand(io))
    .addHelpText(
      'after',
      `
Examples:
  $ postern audit sequence`,
    )
}
