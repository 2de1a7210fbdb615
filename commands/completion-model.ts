import type { Argument, Command, Option } from 'commander'
import { settingGroups, settingNames } from '#core/settings/setting-groups.ts'
import { topicSummaries } from './help-topics.ts'

/** What stands in a place of a command line; `text` is what only the person knows. */
export type Value =
  | { readonly of: 'text' | 'file' | 'directory' }
  | { readonly of: 'choice'; readonly choices: readonly string[] }

export type OptionModel = {
  /** `--json`, and `-h` where there is one. */
  readonly flags: readonly string[]
  /** Undefined for one that takes no value. */
  readonly value: Value | undefined
  readonly description: string
}

export type CommandModel = {
  /** The words behind `postern`; empty for the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly OptionModel[]
  readonly argument: Value | undefined
}

/** Every command, for scripts that shells complete by; `program` is the root. */
export function completionModel(program: Command): readonly CommandModel[] {
  const own = modelsBelow(program, '')
  return [...own.filter(({ path }) => path !== 'help'), ...helpModels(own)]
}

function modelsBelow(command: Command, path: string): readonly CommandModel[] {
  const helper = command.createHelp()
  const model = {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), summary: each.summary() })),
    options: helper.visibleOptions(command).map(optionModel),
    argument: argumentValue(command.registeredArguments),
  }
  const below = command.commands.flatMap((child) =>
    modelsBelow(child, `${path} ${child.name()}`.trimStart()),
  )
  return [model, ...below]
}

function optionModel(option: Option): OptionModel {
  const { short, long, argChoices, description } = option
  return {
    flags: [long, short].flatMap((flag) => flag ?? []),
    value: option.isBoolean() ? undefined : valueBy(option.flags, argChoices),
    description,
  }
}

/** The first argument that can be completed: several are of one sort wherever there are several. */
function argumentValue(given: readonly Argument[]): Value | undefined {
  const [first] = given
  return first && valueBy(`<${first.name()}>`, first.argChoices)
}

const fileWords = new Set(['key…', 'file', 'place', 'record', 'proof', 'older', 'newer'])
const directoryWords = new Set(['directory', 'folder'])

/** By the word that the page has for it. */
function valueBy(flags: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { of: 'choice', choices }
  const [, word = ''] = /[<[]([^\]>.]*)/.exec(flags) ?? []
  if (fileWords.has(word)) return { of: 'file' }
  return { of: directoryWords.has(word) ? 'directory' : 'text' }
}

/** `postern help` takes the words of any command, or a topic. */
function helpModels(own: readonly CommandModel[]): readonly CommandModel[] {
  const topics = Object.entries(topicSummaries).map(([name, summary]) => ({ name, summary }))
  const settings = [...settingGroups.map(({ title }) => title), ...settingNames]
  const pages = own.map(({ path, commands }) => ({
    ...{ path: `help ${path}`.trimEnd(), options: [], argument: undefined },
    commands: path === '' ? [...commands, ...topics] : commands,
  }))
  const argument = { of: 'choice', choices: settings } as const
  return [...pages, { path: 'help settings', commands: [], options: [], argument }]
}
