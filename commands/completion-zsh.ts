import type { CommandModel } from './completion-model.ts'
import { argumentCases, optionCases, quote, table } from './completion-table.ts'

type Models = readonly CommandModel[]

/** A colon parts a name from what it is. */
function described(items: readonly (readonly [string, string])[]): string {
  return items.map(([name, text]) => quote(`${name}:${text}`)).join(' ')
}

export function zshScript(models: Models): string {
  const parents = models.filter((model) => model.commands.length > 0)
  const commands = parents.map((model): [string, string] => [
    model.path,
    `reply=(${described(model.commands.map(({ name, summary }) => [name, summary]))})`,
  ])
  const options = models.map((model): [string, string] => [
    model.path,
    `reply=(${described(
      model.options.flatMap(({ flags, description }) =>
        flags.map((flag): [string, string] => [flag, description]),
      ),
    )})`,
  ])
  return `#compdef postern
# Completion of postern for zsh. To have it in every shell, in a folder of $fpath:
#   postern completion zsh > ~/.zfunc/_postern
${table('_postern_commands', commands)}
${table('_postern_options', options)}
${table('_postern_takes', optionCases(models))}
${table('_postern_argument', argumentCases(models))}
_postern() {
  local at word command='' kind=''
  local -a reply
  for ((at = 2; at < CURRENT; at++)); do
    word="\${words[at]}"
    if [[ -n $kind ]]; then
      kind=''
    elif [[ $word == -* ]]; then
      kind="$(_postern_takes "\${command:+$command }$word")"
    else
      _postern_commands "$command"
      (( \${reply[(I)\${(b)word}:*]} )) && command="\${command:+$command }$word"
    fi
  done
  if [[ -z $kind && $PREFIX == --*'='* ]]; then
    kind="$(_postern_takes "\${command:+$command }\${PREFIX%%'='*}")"
    compset -P '*='
  fi
  if [[ -z $kind && $PREFIX == -* ]]; then
    _postern_options "$command"
    _describe -o option reply
    return
  fi
  if [[ -z $kind ]]; then
    reply=()
    _postern_commands "$command"
    if (( \${#reply} )); then
      _describe command reply
      return
    fi
    kind="$(_postern_argument "$command")"
  fi
  case "$kind" in
    '='*) compadd -- \${=kind#'='} ;;
    file) _files ;;
    directory) _files -/ ;;
  esac
}
if [[ "\${funcstack[1]}" == _postern ]]; then _postern "$@"; else compdef _postern postern; fi
`
}
