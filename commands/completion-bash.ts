import type { CommandModel, OptionModel } from './completion-model.ts'
import { argumentCases, optionCases, quote, table } from './completion-table.ts'

type Models = readonly CommandModel[]

const wordsOf = ({ commands }: CommandModel) => commands.map(({ name }) => name).join(' ')
const flagsOf = (options: readonly OptionModel[]) => options.flatMap(({ flags }) => flags).join(' ')
const echoing = (models: Models, text: (model: CommandModel) => string): [string, string][] =>
  models
    .filter((model) => text(model) !== '')
    .map((model): [string, string] => [model.path, `echo ${quote(text(model))}`])

export function bashScript(models: Models): string {
  return `# Completion of postern for bash. To have it in every shell:
#   postern completion bash > ~/.local/share/bash-completion/completions/postern
${table('_postern_commands', echoing(models, wordsOf))}
${table(
  '_postern_options',
  echoing(models, ({ options }) => flagsOf(options)),
)}
${table('_postern_takes', optionCases(models))}
${table('_postern_argument', argumentCases(models))}
_postern() {
  local at word command='' kind='' line cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    if [[ -n $kind ]]; then
      # bash cuts --option=value at the sign.
      [[ $word == '=' ]] || kind=''
    elif [[ $word == -* ]]; then
      kind="$(_postern_takes "\${command:+$command }$word")"
    elif [[ " $(_postern_commands "$command") " == *" $word "* ]]; then
      command="\${command:+$command }$word"
    fi
  done
  [[ $cur == '=' ]] && cur=''
  if [[ -z $kind && $cur == -* ]]; then
    kind="=$(_postern_options "$command")"
  elif [[ -z $kind ]]; then
    kind="=$(_postern_commands "$command")"
    [[ $kind == '=' ]] && kind="$(_postern_argument "$command")"
  fi
  case "$kind" in
    =*) set -- -W "\${kind#=}" ;;
    file) set -- -f; compopt -o filenames 2> /dev/null ;;
    directory) set -- -d; compopt -o filenames 2> /dev/null ;;
    *) return ;;
  esac
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@" -- "$cur")
}
complete -F _postern postern
`
}
