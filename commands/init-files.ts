import type { AccessDocument } from '#core/access/access-file.ts'
import { settingGroups } from '#core/settings/setting-groups.ts'
import accessPage from './init/access.md' with { type: 'text' }
import composeFile from './init/compose.yaml' with { type: 'text' }
import developmentPage from './init/development.md' with { type: 'text' }
import productionPage from './init/production.md' with { type: 'text' }
import { jsonText } from './json-text.ts'

export type Plan = {
  readonly mode: 'production' | 'development'
  readonly access: AccessDocument
  readonly scopes: readonly string[]
  /** The audit log's name; of production alone. */
  readonly origin: string | undefined
}

export type InitFile = { readonly path: string; readonly text: string; readonly mode: number }

/** Readable for the container's user and for a reviewer: no credential is in it. */
const openMode = 0o644
/** On a laptop it may come to hold a password. */
const privateMode = 0o600
const privateFolderMode = 0o700
/** A shipper of the same group reads the published log. */
const logFolderMode = 0o750

/** What is made where, relative to the directory; parents come first. */
export function initFolders({ mode }: Plan): readonly (readonly [path: string, mode: number])[] {
  if (mode === 'development') return [['access', 0o755]]
  return [
    ['access', 0o755],
    ['state', privateFolderMode],
    ['state/store', privateFolderMode],
    ['state/migrate', privateFolderMode],
    ['state/audit', logFolderMode],
  ]
}

export function initFiles(plan: Plan): readonly InitFile[] {
  const { mode, access, scopes, origin = '' } = plan
  const isProduction = mode === 'production'
  const page = isProduction ? productionPage : developmentPage
  const shown = page.replaceAll('{{origin}}', origin).replaceAll('{{scopes}}', scopes.join(' '))
  return [
    { path: 'README.md', text: shown, mode: openMode },
    {
      ...{ path: 'access/access.json', mode: openMode },
      text: jsonText(access),
    },
    { path: 'access/README.md', text: accessPage, mode: openMode },
    { path: 'postern.env', text: environmentText(initSettings(plan)), mode: privateMode },
    ...(isProduction ? [{ path: 'compose.yaml', text: composeFile, mode: openMode }] : []),
    { path: '.gitignore', text: ignored, mode: openMode },
  ]
}

const ignored = `state/
.postern/
database.json
redis.json
owner.json
`

/** Paths are relative to the folder: the same on the host and in the container. */
export function initSettings({ mode, origin = '' }: Plan): Readonly<Record<string, string>> {
  const shared = { POSTERN_MODE: mode, POSTERN_ACCESS_FILE: 'access/access.json' }
  if (mode === 'development') {
    return {
      ...shared,
      POSTERN_DATABASE_URL: 'postgres://postern@127.0.0.1:5432/postern',
      POSTERN_REDIS_URL: 'redis://127.0.0.1:6379',
      POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    }
  }
  return {
    ...shared,
    POSTERN_DATABASE_URL: 'secret:postern/database#url',
    POSTERN_REDIS_URL: 'secret:postern/redis#url',
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: 'state/store/secrets',
    POSTERN_SECRET_BOOTSTRAP_FILE: 'state/key',
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_KEYS: 'secret:postern/audit#keys',
    POSTERN_AUDIT_STORE: 'state/audit',
  }
}

/** Every setting there is, with what it does; those that are not set are commented out. */
function environmentText(given: Readonly<Record<string, string>>): string {
  const groups = settingGroups.map(({ title, settings }) => {
    const lines = settings.map(({ name, description, without, isValue }) => {
      const set = given[name]
      const line = set === undefined ? `#${name}=${isValue ? without : ''}` : `${name}=${set}`
      return `# ${description}\n${line}\n`
    })
    return `# --- ${title}\n\n${lines.join('\n')}`
  })
  return `# For a shell:   set -a; . ./postern.env; set +a
# For Docker:    --env-file postern.env
# What is commented out has the value that is shown, or none.

${groups.join('\n')}`
}
