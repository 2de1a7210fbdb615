import { type Setting, settingGroups } from '#core/settings/setting-groups.ts'
import { section, termList, wrapText } from './manual.ts'

/** What `postern help` tells of beside the commands. */
export const topics = ['settings', 'exit-codes', 'files'] as const
export type Topic = (typeof topics)[number]

export const topicSummaries: Readonly<Record<Topic, string>> = {
  settings: 'every POSTERN_* variable; also of one group or name',
  'exit-codes': 'what a script can tell apart',
  files: 'what is read and written, and by whom',
}

const exits = [
  ['0', 'done, admitted, nothing to mend'],
  ['1', 'failed or refused; of checks: something was found'],
  ['2, 3, 4, 5, 6', '`audit`: integrity, rollback, stale, gap, cannot tell'],
  ['64', 'usage: a command, an option or a value that is none'],
  ['65', 'the input is not what it should be'],
  ['75', 'something did not answer; the same again may work'],
  ['78', 'configuration: one line for each problem on standard error'],
  ['130, 143', 'ended by SIGINT or SIGTERM where there was nothing to close'],
] as const

const files = [
  ['$POSTERN_ACCESS_FILE', 'who may do what, JSON; read again when it is replaced by renaming'],
  ['$POSTERN_SECRET_BOOTSTRAP_FILE', 'mode 0400; the one credential outside a store'],
  ['$POSTERN_SECRET_FILE', 'the encrypted file store; written by `secrets` and the rotator'],
  ['$POSTERN_AUDIT_STORE', 'the published log, where it is a directory; written by the sequencer'],
  ['$POSTERN_DATA_DIRECTORY', 'state of `up` and the development key; .postern by default'],
] as const

const settingsText = `Environment variables, read once at the start. An unknown POSTERN_* name, and a value that is
none, end the command with 78. A credential is a reference into the secret store,
secret:<name>#<member>; a literal one is refused in production.`

/** Undefined where no setting and no group has the name. */
export function settingsPage(of: string | undefined, width: number): string | undefined {
  const wanted = of?.toLowerCase()
  const groups = settingGroups
    .map(({ title, settings }) => ({
      title,
      settings: settings.filter(
        ({ name }) => wanted === undefined || wanted === title || wanted === name.toLowerCase(),
      ),
    }))
    .filter(({ settings }) => settings.length > 0)
  if (groups.length === 0) return undefined
  const sections = groups.map(({ title, settings }) =>
    section(title.toUpperCase(), settings.map((setting) => settingText(setting, width)).join('\n')),
  )
  const about = wanted === undefined ? [section('SETTINGS', wrapText(settingsText, width))] : []
  return [...about, ...sections].join('\n')
}

function settingText({ name, description, without }: Setting, width: number): string {
  const first = without === undefined ? name : `${name}  (${without})`
  const indented = wrapText(description, width - 4).replace(/^/gm, '    ')
  return `${first}\n${indented}`
}

export function exitCodesPage(width: number): string {
  return section('EXIT CODES', termList(exits, width))
}

export function filesPage(width: number): string {
  return section('FILES', termList(files, width))
}
