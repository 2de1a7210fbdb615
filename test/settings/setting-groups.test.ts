import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Setting,
  settingGroups,
  settingNames,
  settingShape,
} from '#core/settings/setting-groups.ts'

const settings = settingGroups.flatMap((group) => group.settings)

test('each setting stands in one group', () => {
  expect(settingNames.toSorted()).toEqual(Object.keys(settingShape).toSorted())
})

test.each(settings)('$name says in one line what it is', ({ description }) => {
  expect(description).toMatch(/^[^\n|]{10,160}$/)
  expect(description).not.toEndWith('.')
})

function row({ name, without, isValue, description }: Setting): string {
  const words = isValue ? `\`${without}\`` : (without ?? '–')
  return `| \`${name}\` | ${words} | ${description} |`
}

test('the table of README is what the schema says, row by row', () => {
  const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')
  const [, table = ''] = readme.split('| Variable | Default | |\n|---|---|---|\n')
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n')
  expect(rows).toEqual(settings.map(row))
})
