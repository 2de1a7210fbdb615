import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { access, type DoctorWorld, issuerAt, type Settings } from './doctor-world.ts'

export type Broken = readonly [
  name: string,
  changes: (world: DoctorWorld) => Readonly<Record<string, string | undefined>> | Promise<Settings>,
  check: string,
  detail: RegExp,
  fix: RegExp,
]

/** Where nobody listens. */
export const nowhere = '127.0.0.1:1'

export const broken: readonly Broken[] = [
  [
    'Redis is down',
    () => ({ POSTERN_REDIS_URL: `redis://${nowhere}` }),
    ...([
      'redis',
      /^127\.0\.0\.1:1: nothing listens there$/,
      /start it.*POSTERN_REDIS_URL/,
    ] as const),
  ],
  [
    'the password of Redis is wrong',
    (world) => ({ POSTERN_REDIS_URL: `redis://:hunter2@127.0.0.1:${world.locked.port}` }),
    ...(['redis', /the login is refused$/, /POSTERN_REDIS_URL.*secrets put/] as const),
  ],
  [
    'Redis asks for a password and gets none',
    (world) => ({ POSTERN_REDIS_URL: world.locked.url }),
    ...(['redis', /the login is refused$/, /POSTERN_REDIS_URL/] as const),
  ],
  [
    'Redis evicts',
    (world) => ({ POSTERN_REDIS_URL: world.evicting.url }),
    ...(['redis', /allkeys-lru/, /^set maxmemory-policy noeviction/] as const),
  ],
  [
    'Redis speaks plain text where TLS is asked for',
    (world) => ({ POSTERN_REDIS_URL: world.redis.url.replace('redis:', 'rediss:') }),
    ...(['redis', /plain text where TLS is asked|does not answer/, /TLS|firewall/] as const),
  ],
  [
    'Postgres is down',
    () => ({ POSTERN_DATABASE_URL: `postgres://postern@${nowhere}/postern` }),
    ...(['postgres', /^127\.0\.0\.1:1: nothing listens/, /POSTERN_DATABASE_URL/] as const),
  ],
  [
    'the host of Postgres does not exist',
    () => ({ POSTERN_DATABASE_URL: 'postgres://postern@db.invalid/postern' }),
    ...(['postgres', /^db\.invalid: (no such host|it does not answer)/, /host|firewall/] as const),
  ],
  [
    'Postgres has no such database',
    (world) => ({ POSTERN_DATABASE_URL: world.unmigrated.replace(/[^/]+$/, 'absent') }),
    ...(['postgres', /there is no such database$/, /create it/] as const),
  ],
  [
    'Postgres does not know the login',
    (world) => ({ POSTERN_DATABASE_URL: world.unmigrated.replace('//postern@', '//stranger@') }),
    ...(['postgres', /the login is refused$/, /POSTERN_DATABASE_URL/] as const),
  ],
  [
    'Postgres refuses TLS',
    (world) => ({ POSTERN_DATABASE_URL: `${world.unmigrated}?sslmode=verify-full` }),
    ...(['postgres', /it does not offer TLS$/, /switch TLS on/] as const),
  ],
  [
    'Postgres forgets commits',
    (world) => ({ POSTERN_DATABASE_URL: world.fsyncOff }),
    ...(['postgres', /fsync is off/, /^set fsync = on$/] as const),
  ],
  [
    'the schema is behind',
    (world) => ({ POSTERN_DATABASE_URL: world.unmigrated }),
    ...(['schema', /0001-jobs.* not applied/, /^run `postern migrate`$/] as const),
  ],
  [
    'the schema is newer than the binary',
    (world) => ({ POSTERN_DATABASE_URL: world.newer }),
    ...(['schema', /9999-later.*newer release/, /migrate|release/] as const),
  ],
  [
    'the access file is not there',
    () => ({ POSTERN_ACCESS_FILE: 'nowhere.json' }),
    ...(['access file', /nowhere\.json: ENOENT/, /postern init/] as const),
  ],
  [
    'the access file is no JSON',
    async (world) => ({ POSTERN_ACCESS_FILE: await world.put('half.json', '{"zones":') }),
    ...(['access file', /not JSON/, /postern access check/] as const),
  ],
  [
    'the access file has a member too many',
    async (world) => ({ POSTERN_ACCESS_FILE: await world.accessFile('more', { admins: [] }) }),
    ...(['access file', /admins/, /postern access check/] as const),
  ],
  [
    'the allowlist is empty',
    async (world) => ({
      POSTERN_ACCESS_FILE: await world.accessFile('closed', {
        ...{ zones: { ...access.zones, v1: [] }, issuers: [issuerAt(world.keys)] },
      }),
    }),
    ...(['access file', /zone v1 admits nobody/, /add the ranges of callers/] as const),
  ],
  [
    'there is no issuer',
    async (world) => ({ POSTERN_ACCESS_FILE: await world.accessFile('nobody', {}) }),
    ...(['access file', /no issuer/, /^add one to /] as const),
  ],
  [
    'the keys of the issuer cannot be reached',
    async (world) => ({
      POSTERN_ACCESS_FILE: await world.accessFile('away', {
        issuers: [issuerAt(`http://${nowhere}/jwks.json`)],
      }),
    }),
    ...([
      'issuer keys',
      /https:\/\/id\.example: http:\/\/127\.0\.0\.1:1\/jwks/,
      /jwksUrl/,
    ] as const),
  ],
  [
    'the keys of the issuer are somewhere else',
    async (world) => ({
      POSTERN_ACCESS_FILE: await world.accessFile('moved', {
        issuers: [issuerAt(world.keys.replace('jwks.json', 'keys'))],
      }),
    }),
    ...(['issuer keys', /answered 404/, /jwksUrl/] as const),
  ],
  [
    'the keys of the issuer are for another algorithm',
    async (world) => ({
      POSTERN_ACCESS_FILE: await world.accessFile('other', {
        issuers: [issuerAt(world.keys, 'RS256')],
      }),
    }),
    ...(['issuer keys', /none of its 1 keys is for RS256/, /algorithms/] as const),
  ],
  [
    'a reference names a secret that is not there',
    () => ({ POSTERN_DATABASE_URL: 'secret:postern/databse#url' }),
    ...(['POSTERN_DATABASE_URL', /postern\/databse/, /secrets put/] as const),
  ],
  [
    'there is no store for the references',
    () => ({ POSTERN_SECRET_STORE: undefined }),
    ...(['secret store', /there are references/, /^set POSTERN_SECRET_STORE$/] as const),
  ],
  [
    'others can read the key of the store',
    async (world) => {
      const file = join(world.folder, 'exposed')
      await writeKeyFile(file)
      await chmod(file, 0o644)
      return { POSTERN_SECRET_BOOTSTRAP_FILE: file }
    },
    ...(['secret store', /mode 0644/, /^run `chmod 0400 /] as const),
  ],
  [
    'the place of the audit log is no directory',
    async (world) => ({ POSTERN_AUDIT_STORE: await world.put('file', '') }),
    ...(['audit store', /is no directory/, /POSTERN_AUDIT_STORE/] as const),
  ],
  [
    'the place of the audit log is behind what is no directory',
    () => ({ POSTERN_AUDIT_STORE: '/dev/null/audit' }),
    ...(['audit store', /^\/dev\/null is no directory$/, /POSTERN_AUDIT_STORE/] as const),
  ],
  [
    'the audit log has a store and no name',
    () => ({ POSTERN_AUDIT_ORIGIN: undefined }),
    ...(['audit log', /POSTERN_AUDIT_ORIGIN not set/, /^set POSTERN_AUDIT_ORIGIN/] as const),
  ],
  [
    'the keys of the audit log are of another log',
    () => ({ POSTERN_AUDIT_KEYS: generateSignerKey('elsewhere', 'ed25519').signerKey }),
    ...(['audit log', /not a log key of the name localhost/, /^make one/] as const),
  ],
  [
    'the port is in use by something else',
    (world) => ({ POSTERN_LISTEN_ADDRESS: '127.0.0.1', POSTERN_LISTEN_PORT: String(world.taken) }),
    ...(['POSTERN_LISTEN_PORT', /is in use/, /choose another port|stop what listens/] as const),
  ],
  [
    'Postgres hangs',
    (world) => ({ POSTERN_DATABASE_URL: `postgres://postern@127.0.0.1:${world.silent}/postern` }),
    ...(['postgres', /it does not answer$/, /firewall/] as const),
  ],
]
