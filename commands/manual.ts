import type { AddHelpTextContext, Argument, Command, Help, Option } from 'commander'

/** Columns; longer lines are hard to follow however wide the terminal. */
const widthMax = 110
/** Columns where the output is no terminal. */
const widthDefault = 80
const indent = '  '

/** For `.addHelpText('after', …)`: whole command lines, broken to the width of the page. */
export function examples(...lines: readonly string[]): (context: AddHelpTextContext) => string {
  return ({ command, error }) => {
    const width = widthOf(command, error)
    const shown = lines.map((line) => breakCommand(`$ ${line.replace(/ {2,}/g, ' ')}`, width))
    return `\n${section('EXAMPLES', shown.join('\n')).trimEnd()}`
  }
}

/** Columns of the page that a command prints, within its indentation. */
export function widthOf(command: Command, isError = false): number {
  const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput()
  return pageWidth((isError ? getErrHelpWidth : getOutHelpWidth)?.())
}

function pageWidth(columns: number | undefined): number {
  return Math.min(columns ?? widthDefault, widthMax) - indent.length
}

/** Bold where the output is a terminal: commander takes it off everywhere else, and for NO_COLOR. */
function heading(title: string): string {
  return `\u001b[1m${title}\u001b[22m`
}

/** A heading with its text below, each line of it indented, and an empty line. */
export function section(title: string, body: string): string {
  return body === '' ? '' : `${heading(title)}\n${body.replace(/^(?=.)/gm, indent)}\n`
}

/** Paragraphs are wrapped, tables of terms and descriptions too; indented lines stay as they are. */
export function wrapText(text: string, width: number): string {
  return text
    .trim()
    .split('\n\n')
    .map((paragraph) => wrapParagraph(paragraph.split('\n'), width))
    .join('\n\n')
}

function wrapParagraph(lines: readonly string[], width: number): string {
  const rows = lines.flatMap((line) => {
    const [, term, description] = /^(\S+) {2,}(\S.*)$/.exec(line) ?? []
    return term === undefined || description === undefined ? [] : [[term, description] as const]
  })
  if (rows.length === lines.length) return termList(rows, width)
  const blocks: string[] = []
  let open = ''
  for (const line of [...lines, ' ']) {
    if (!line.startsWith(' ')) {
      open = `${open} ${line}`.trimStart()
      continue
    }
    if (open !== '') blocks.push(wrapLine(open, width))
    open = ''
    if (line !== ' ') blocks.push(line)
  }
  return blocks.join('\n')
}

function wrapLine(line: string, width: number): string {
  const lines = ['']
  for (const word of line.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

/** Terms beside their descriptions; a description that would get too narrow goes below its term. */
export function termList(
  items: readonly (readonly [term: string, description: string])[],
  width: number,
  termWidth = Math.max(0, ...items.map(([term]) => term.length)),
): string {
  const room = width - termWidth - indent.length
  return items
    .map(([term, description]) => {
      const isBeside = room >= width / 2
      const wrapped = wrapLine(description, isBeside ? room : width - 4)
      const pad = ' '.repeat(isBeside ? termWidth + indent.length : 4)
      const text = wrapped.replaceAll('\n', `\n${pad}`)
      return isBeside ? `${term.padEnd(termWidth)}${indent}${text}` : `${term}\n${pad}${text}`
    })
    .join('\n')
}

/** Before an option or a pipe, as somebody would break it by hand. */
function breakCommand(line: string, width: number): string {
  const parts = line.split(/ (?=--|\| )/)
  const lines = ['']
  for (const part of parts) {
    const last = lines.at(-1) ?? ''
    // Room for the backslash.
    if (last === '') lines[lines.length - 1] = part
    else if (last.length + 1 + part.length <= width - 2) lines[lines.length - 1] = `${last} ${part}`
    else lines.push(`    ${part}`)
  }
  return lines.join(' \\\n')
}

/** The page of a command, in the order of a manual. */
export function formatManual(command: Command, helper: Help): string {
  const width = pageWidth(helper.helpWidth)
  const path = pathOf(command)
  const summary = command.summary()
  const listed = commandGroups(command, helper)
  const termWidth = Math.max(0, ...[...listed.values()].flat().map(([term]) => term.length))
  const options = helper
    .visibleOptions(command)
    .map((option) => [option.flags, optionText(option)] as const)
  const names = helper
    .visibleArguments(command)
    .map((each) => [each.name(), argumentText(each)] as const)
  return [
    section('NAME', wrapLine(`${path} - ${summary}`, width)),
    section('SYNOPSIS', `${path} ${usageOf(command)}`.trimEnd()),
    section('DESCRIPTION', wrapText(command.description(), width)),
    section('ARGUMENTS', termList(names, width)),
    section('OPTIONS', termList(options, width)),
    ...[...listed].map(([title, items]) => section(title, termList(items, width, termWidth))),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** `postern secrets rotate`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function usageOf(command: Command): string {
  return command.usage().replace('[options] [command]', '<command>')
}

function optionText(option: Option): string {
  const { argChoices, defaultValue, defaultValueDescription, mandatory, description } = option
  const isShown = defaultValue !== undefined && !option.isBoolean()
  return [
    description,
    ...(argChoices === undefined ? [] : [`; one of ${argChoices.join(', ')}`]),
    ...(isShown ? [` (default: ${defaultValueDescription ?? shortly(defaultValue)})`] : []),
    ...(mandatory ? [' (required)'] : []),
  ].join('')
}

function argumentText({ description, argChoices }: Argument): string {
  return argChoices === undefined ? description : `${description}; one of ${argChoices.join(', ')}`
}

function shortly(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Those with no group of their own stand below COMMANDS; the implicit help is not told again. */
function commandGroups(command: Command, helper: Help) {
  const groups = new Map<string, (readonly [string, string])[]>()
  for (const child of helper.visibleCommands(command)) {
    if (!command.commands.includes(child)) continue
    const title = child.helpGroup() || 'COMMANDS'
    groups.set(title, [...(groups.get(title) ?? []), [child.name(), child.summary()]])
  }
  return groups
}
