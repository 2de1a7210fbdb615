import { Command } from 'commander'
import { nearest } from '#core/nearest.ts'
import { settingGroups, settingNames } from '#core/settings/setting-groups.ts'
import type { CommandIo } from './command-io.ts'
import { exitCodesPage, filesPage, settingsPage, topics } from './help-topics.ts'
import { examples, widthOf } from './manual.ts'

/** The page of any command, and of what no command is alone about. */
export function helpCommand(io: CommandIo): Command {
  return new Command('help')
    .summary('the page of a command or a topic')
    .description(`Topics: ${topics.join(', ')}.`)
    .argument('[words...]', 'a command such as `secrets rotate`, or a topic')
    .addHelpText(
      'after',
      examples(
        'postern help secrets rotate',
        'postern help settings',
        'postern help settings audit',
        'postern help exit-codes',
      ),
    )
    .action((words: readonly string[], _options: object, own: Command) => {
      const page = topicPage(words, own)
      if (page === undefined) own.error(unknown(words, own))
      else if (typeof page === 'string') io.stdout.write(plainFor(own, page))
      else page.help()
    })
}

function topicPage(words: readonly string[], own: Command): string | Command | undefined {
  const [topic, of, ...rest] = words
  const width = widthOf(own)
  if (topic === 'settings' && rest.length === 0) return settingsPage(of, width)
  if (topic === 'exit-codes' && of === undefined) return exitCodesPage(width)
  if (topic === 'files' && of === undefined) return filesPage(width)
  let found: Command | undefined = own.parent ?? own
  for (const word of words) found = found?.commands.find((child) => child.name() === word)
  return found
}

/** With what was meant, where a name is near; a value that may be a credential is no name. */
function unknown(words: readonly string[], own: Command): string {
  const [topic, of = ''] = words
  const names = own.parent?.commands.map((command) => command.name()) ?? []
  const meant =
    topic === 'settings'
      ? nearest(of, [...settingNames, ...settingGroups.map(({ title }) => title)])
      : nearest(topic ?? '', [...names, ...topics])
  const hint = meant === undefined ? '' : `\n(Did you mean ${meant}?)`
  return `error: no page for '${words.join(' ')}'${hint}`
}

function plainFor(command: Command, page: string): string {
  const { getOutHasColors, stripColor } = command.configureOutput()
  return getOutHasColors?.() ? page : (stripColor?.(page) ?? page)
}
