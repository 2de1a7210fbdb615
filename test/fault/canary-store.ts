import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import { certificates } from '#test/support/certificates.ts'

export const auditOrigin = 'canary.example/audit'

/** Milliseconds between two looks for a version: one that is undone lives for a few. */
const watchMs = 25

/** Stands nowhere else, whatever the encoding; behind it all that a URL, a shell or SQL treats specially. */
export function canary(name: string): string {
  return `c4n-${name.replaceAll(/[^a-z0-9]/g, '-')}-${randomBytes(9).toString('hex')}`
}
const hostilePassword = (name: string) => `${canary(name)}/@:%+?#"&='\\ $1`

export type Logins = Readonly<Record<string, { readonly user: string; readonly password: string }>>

/** Each with a password of its own. */
export function makeLogins(users: readonly string[]): Logins {
  return Object.fromEntries(
    users.map((user) => [user, { user, password: hostilePassword(`login of ${user}`) }]),
  )
}

type Filling = {
  readonly folder: string
  readonly logins: Logins
  /** Without a user. */
  readonly servers: { readonly database: string; readonly redis: string }
}

export type CanaryStore = Awaited<ReturnType<typeof fillStore>>

/** Every credential of a configuration is a secret of a file store, and all that it holds is to be found. */
export async function fillStore({ folder, logins, servers }: Filling) {
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  const storeKey = randomBytes(32).toString('base64url')
  await writeFile(files.keyFile, `${storeKey}\n`, { mode: 0o400 })
  const secrets = new Map([['key of the store', storeKey]])
  const url = (server: string, user: string) => ({ url: asUser(server, logins[user]) })
  const { good } = await certificates()
  const tlsKey = await readFile(good.keyFile, 'utf8')
  const sharedKey = randomBytes(48).toString('base64url')
  const log = generateSignerKey(auditOrigin, 'ed25519')
  const contents = {
    'postern/database': url(servers.database, 'app_a'),
    'postern/owner': url(servers.database, 'own_a'),
    'postern/rotator': url(servers.database, 'rot_a'),
    'postern/redis': url(servers.redis, 'red_a'),
    'postern/redis-admin': url(servers.redis, 'red_admin'),
    'postern/webhook': { key: hostilePassword('webhook') },
    'postern/log': { keys: log.signerKey },
    'postern/issuer': await freshIssuerKeys(),
    'postern/tls': { certificate: await readFile(good.certificateFile, 'utf8'), key: tlsKey },
    'postern/alpaca': {
      keys: JSON.stringify({ desk: { key_id: 'id', secret_key: canary('alpaca') } }),
    },
    'shared/issuer': { key: sharedKey },
    'desk/feed': { id: 'id-0', key: canary('feed') },
    'desk/hook': { token: canary('hook token') },
    'desk/plain': { key: hostilePassword('plain key') },
    'desk/echo': { id: 'id-0', key: canary('echo key') },
    'desk/cloud': url(servers.redis, 'cloud_a'),
    ...brokenSecrets(servers),
  }
  for (const [name, members] of Object.entries(contents)) {
    await writeFileSecret({ ...files, name, members })
  }
  const store = fileSecretStore(files)
  const learn = () => learnVersions(store, secrets)
  await learn()
  return { files, store, secrets, sharedKey, verifierKey: log.verifierKey, learn }
}

function asUser(server: string, login: Logins[string] | undefined): string {
  const password = encodeURIComponent(login?.password ?? '')
  return server.replace('://', `://${login?.user}:${password}@`)
}

/** What is no credential, or the wrong one: those who start with it must say so without it. */
function brokenSecrets({ database, redis }: Filling['servers']) {
  const wrong = (server: string, name: string) => ({
    url: asUser(server, { user: 'app_a', password: hostilePassword(name) }),
  })
  const percent = (server: string, name: string) => ({
    url: server.replace('://', `://app_a:${canary(name)}%zz@`),
  })
  const away = (server: string) => server.replace(/:\d+/, ':1')
  return {
    'bad/database': wrong(database, 'wrong at postgres'),
    'bad/database-away': wrong(away(database), 'postgres away'),
    'bad/database-percent': percent(database, 'percent at postgres'),
    'bad/database-port': wrong(database.replace(/:\d+/, ':port'), 'port of postgres'),
    'bad/redis': wrong(redis, 'wrong at redis'),
    'bad/redis-away': wrong(away(redis), 'redis away'),
    'bad/redis-percent': percent(redis, 'percent at redis'),
    'bad/text': { value: canary('no such thing'), json: `{"${canary('torn json')}": ` },
    'bad/log': { keys: `PRIVATE+KEY+${auditOrigin}+00000000+${canary('log key')}` },
    'bad/issuer': { current: JSON.stringify({ kty: 'OKP', d: canary('issuer d') }), next: '{}' },
  }
}

type Store = ReturnType<typeof fileSecretStore>

async function learnVersions(store: Store, secrets: Map<string, string>): Promise<void> {
  for (const name of await store.list()) {
    const versions = await store.versions(name)
    for (const { version } of versions.filter(({ isEnabled }) => isEnabled)) {
      const members = await store.read(name, version).catch(() => ({}))
      learnMembers(`${name} ${version}`, members, secrets)
    }
  }
}

function learnMembers(of: string, members: object, secrets: Map<string, string>): void {
  const told = Object.entries(members).filter(([member]) => !publicMembers.has(member))
  for (const [member, text] of told) {
    for (const [at, part] of secretParts(String(text)).entries()) {
      secrets.set(`${member} of ${of}${at === 0 ? '' : `, key ${at + 1}`}`, part)
    }
  }
}

const publicMembers: ReadonlySet<string> = new Set(['id', 'certificate'])
const signerKey = /^PRIVATE\+KEY\+[^+]+\+[0-9a-f]+\+(.+)$/gm

/** The password of a URL, the private part of a key: what must stand nowhere. */
function secretParts(text: string): readonly string[] {
  const signers = [...text.matchAll(signerKey)].map(([, key = '']) => key)
  if (signers.length > 0) return signers
  const [, jwkPart] = /"(?:d|secret_key)":"([^"]+)"/.exec(text) ?? []
  if (jwkPart !== undefined) return [jwkPart]
  if (text.startsWith('-----BEGIN')) return [text.split('\n')[1] ?? '']
  const [, password] = /^\w+:\/\/[^:@/]*:([^@/]*)@/.exec(text) ?? []
  if (password === undefined) return [text]
  return password.includes('%zz') ? [password] : [decodeURIComponent(password)]
}

/** Learns whatever is put into the store, however short its life. */
export function watchStore({ learn }: Pick<CanaryStore, 'learn'>): { stop(): Promise<void> } {
  let isOver = false
  async function watch(): Promise<void> {
    while (!isOver) {
      // Torn on purpose now and then.
      await learn().catch(() => undefined)
      await Bun.sleep(watchMs)
    }
  }
  const watching = watch()
  return {
    async stop() {
      isOver = true
      await watching
      await learn()
    },
  }
}
