import type { CommandModel, Value } from './completion-model.ts'

type Models = readonly CommandModel[]

/** For bash, zsh and fish alike, but for the quote itself. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** `file`, `directory`, `text`, or `=` and the choices. */
function kindOf(value: Value): string {
  return value.of === 'choice' ? `=${value.choices.join(' ')}` : value.of
}

/** One function of the shell: what `cases` say of a text. */
export function table(name: string, cases: readonly (readonly [string, string])[]): string {
  const lines = cases.map(([text, act]) => `    ${quote(text)}) ${act} ;;`)
  return `${name}() {\n  case "$1" in\n${lines.join('\n')}\n  esac\n}\n`
}

export function optionCases(models: Models): [string, string][] {
  return models.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) =>
      value === undefined
        ? []
        : flags.map((flag): [string, string] => [
            `${path} ${flag}`.trimStart(),
            `echo ${quote(kindOf(value))}`,
          ]),
    ),
  )
}

export function argumentCases(models: Models): [string, string][] {
  return models.flatMap(({ path, argument }) =>
    argument === undefined ? [] : [[path, `echo ${quote(kindOf(argument))}`]],
  )
}
