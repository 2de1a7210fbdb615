import { Argument, Command } from 'commander'
import type { CommandIo } from './command-io.ts'
import { bashScript } from './completion-bash.ts'
import { fishScript } from './completion-fish.ts'
import { completionModel } from './completion-model.ts'
import { zshScript } from './completion-zsh.ts'
import { examples } from './manual.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }
type Shell = keyof typeof scripts

export function completionCommand(io: CommandIo): Command {
  return new Command('completion')
    .summary('print a script that completes command lines in a shell')
    .description(`It knows commands, options and their choices, and completes files where an option takes one. It
asks nothing of this program when it is used: print it again after an upgrade.`)
    .addArgument(new Argument('<shell>', 'whose it is').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      examples(
        'source <(postern completion bash)',
        'postern completion bash > ~/.local/share/bash-completion/completions/postern',
        'postern completion zsh > ~/.zfunc/_postern',
        'postern completion fish > ~/.config/fish/completions/postern.fish',
      ),
    )
    .action((shell: Shell, _options: object, own: Command) => {
      io.stdout.write(scripts[shell](completionModel(own.parent ?? own)))
    })
}
