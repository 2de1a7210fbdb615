import type { CommandModel, OptionModel, Value } from './completion-model.ts'
import { quote } from './completion-table.ts'

export function fishScript(models: readonly CommandModel[]): string {
  return `# Completion of postern for fish. To have it in every shell:
#   postern completion fish > ~/.config/fish/completions/postern.fish
function __postern_commands
  switch "$argv"
${models.flatMap(wordCases).join('\n')}
  end
end

function __postern_takes
  switch "$argv"
${takingCases(models)}
  end
  return 1
end

function __postern_at
  set -l command ''
  set -l is_value 0
  for word in (commandline -opc)[2..-1]
    if test $is_value = 1
      set is_value 0
    else if string match -q -- '-*' $word
      __postern_takes (string trim -- "$command $word"); and set is_value 1
    else if contains -- $word (__postern_commands $command)
      set command (string trim -- "$command $word")
    end
  end
  test "$command" = "$argv"
end

complete -c postern -f
${models.flatMap(linesOf).join('\n')}
`
}

function wordCases({ path, commands }: CommandModel): readonly string[] {
  if (commands.length === 0) return []
  const words = commands.map(({ name }) => name).join(' ')
  return [`    case ${quote(path)}\n      string split ' ' ${quote(words)}`]
}

function takingCases(models: readonly CommandModel[]): string {
  const taking = models.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ flags }) => flags.map((flag) => quote(`${path} ${flag}`.trimStart()))),
  )
  return `    case ${taking.join(' ')}\n      return 0`
}

function linesOf({ path, commands, options, argument }: CommandModel): readonly string[] {
  const begin = `complete -c postern -n ${quote(`__postern_at ${path}`.trimEnd())}`
  return [
    ...commands.map(({ name, summary }) => `${begin} -a ${quote(name)} -d ${quote(summary)}`),
    ...options.map((option) => `${begin} ${optionLine(option)}`),
    ...(argument === undefined || argument.of === 'text' ? [] : [`${begin} ${takes(argument)}`]),
  ]
}

function optionLine({ flags, value, description }: OptionModel): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  )
  const given = value === undefined ? '' : ` ${value.of === 'file' ? '-r' : '-x'} ${takes(value)}`
  return `${names.join(' ')}${given} -d ${quote(description)}`.replace(/ {2,}/g, ' ')
}

function takes(value: Value): string {
  if (value.of === 'file') return '-F'
  if (value.of === 'directory') return "-a '(__fish_complete_directories)'"
  return value.of === 'choice' ? `-a ${quote(value.choices.join(' '))}` : ''
}
