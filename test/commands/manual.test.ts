import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { CommandIo } from '../../commands/command-io.ts'
import { pathOf } from '../../commands/manual.ts'
import { createProgram } from '../../commands/program.ts'

const never = () => {
  throw new Error('a page needs nothing')
}
const io: CommandIo = {
  ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  ...{ config: never, environment: {}, version: '0', self: [], terminated: never },
}

const program = createProgram(io, (text, write) => write(text))
const commands = withChildren(program)

function withChildren(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withChildren)]
}

/** As a terminal of so many columns, or a pipe, shows it. */
function pageOf(command: Command, { columns, isTerminal = false }: Shown): string {
  let page = ''
  command.configureOutput({
    writeOut: (text) => {
      page += text
    },
    getOutHelpWidth: () => columns,
    getOutHasColors: () => isTerminal,
  })
  command.outputHelp()
  return page
}
type Shown = { readonly columns: number; readonly isTerminal?: boolean }

const pages = commands.map((command) => [pathOf(command), command] as const)

test.each(pages)('the page of %s has a name, a synopsis and examples', (path, command) => {
  const page = pageOf(command, { columns: 80 })
  expect(page).toStartWith(`NAME\n  ${path} - `)
  expect(page).toContain(`\n\nSYNOPSIS\n  ${path} `)
  expect(page).toContain('\n\nEXAMPLES\n  $ ')
  const [, shown = ''] = page.split('\nEXAMPLES\n')
  expect(shown).toContain(path)
  expect(page).not.toContain('\n\n\n')
})

test.each(pages)('the page of %s keeps within the width of the terminal', (_path, command) => {
  for (const columns of [80, 120]) {
    const lines = pageOf(command, { columns }).split('\n')
    expect(lines.filter((line) => line.length > columns)).toEqual([])
  }
})

test.each(pages)('the summary of %s is a line in lower case, without a full stop', (_, command) => {
  expect(command.summary()).toMatch(/^[a-z].{8,90}[^.]$/)
})

test.each(pages)('%s says of each option and argument what it is', (_path, command) => {
  const told = [...command.options, ...command.registeredArguments]
  expect(told.filter(({ description }) => description === '')).toEqual([])
})

test('README has a row for each command', () => {
  const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')
  const names = program.commands.map((command) => command.name())
  expect(names.filter((name) => !readme.includes(`| \`postern ${name}\` | `))).toEqual([])
})

test('headings are bold on a terminal and plain in a pipe', () => {
  expect(pageOf(program, { columns: 80, isTerminal: true })).toStartWith(
    '\u001b[1mNAME\u001b[22m\n',
  )
  expect(pageOf(program, { columns: 80 })).not.toContain('\u001b')
})

test('the first page is a screen or two, with a line for each command', () => {
  const lines = pageOf(program, { columns: 80 }).trimEnd().split('\n')
  expect(lines.length).toBeLessThan(100)
  for (const command of program.commands) {
    const line = lines.find((each) => each.startsWith(`  ${command.name()} `))
    expect(line).toEndWith(command.summary())
  }
})
