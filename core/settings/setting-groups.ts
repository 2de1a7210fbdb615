import type { z } from 'zod'
import { otlpSettings } from '../trace/otlp-settings.ts'
import { accessSettings, outsideSettings } from './access-settings.ts'
import { auditSettings, driftSettings } from './log-settings.ts'
import { engineSettings, listenerSettings, processSettings } from './process-settings.ts'
import { secretSettings } from './secret-settings.ts'

/** The keys are the variables' names, so that a problem names what to fix. */
export const settingShape = {
  ...processSettings,
  ...accessSettings,
  ...engineSettings,
  ...listenerSettings,
  ...secretSettings,
  ...auditSettings,
  ...driftSettings,
  ...outsideSettings,
  ...otlpSettings,
}

/** As pages show them; each setting stands in one. */
const groups: readonly (readonly [string, Readonly<Record<string, z.ZodType>>])[] = [
  ['process', processSettings],
  ['access', accessSettings],
  ['engines', engineSettings],
  ['listeners', listenerSettings],
  ['secrets', secretSettings],
  ['audit', auditSettings],
  ['drift', driftSettings],
  ['outside', outsideSettings],
  ['traces', otlpSettings],
]

export type Setting = {
  readonly name: string
  readonly description: string
  /** What holds where nothing is set, in words; undefined for nothing at all. */
  readonly without: string | undefined
  readonly isValue: boolean
}

export type SettingGroup = { readonly title: string; readonly settings: readonly Setting[] }

export const settingGroups: readonly SettingGroup[] = groups.map(([title, shape]) => ({
  title,
  settings: Object.entries(shape).map(([name, schema]) => settingOf(name, schema)),
}))

export const settingNames: readonly string[] = settingGroups.flatMap(({ settings }) =>
  settings.map(({ name }) => name),
)

/** A default is what the schema makes of nothing. */
function settingOf(name: string, schema: z.ZodType): Setting {
  const { description = '', unset } = schema.meta() ?? {}
  const { data } = schema.safeParse(undefined)
  const isValue = data !== undefined
  const words = typeof unset === 'string' ? unset : undefined
  return { name, description, isValue, without: isValue ? String(data) : words }
}
