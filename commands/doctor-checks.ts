import { access, constants, readFile } from 'node:fs/promises'
import type { Sql } from 'postgres'
import type { Config } from '#core/config.ts'
import { checkRedis, connectProducer } from '#core/job/redis-connect.ts'
import { databaseRoles, quoteName } from '#core/postgres/database-role.ts'
import { inspectLogin, type Login } from '#core/postgres/inspect-login.ts'
import { pendingMigrations } from '#core/postgres/migrate.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { isSecretReference } from '#core/secret/secret-reference.ts'
import { connectDatabase, databaseUrl } from './connect-database.ts'
import {
  type AskSecrets,
  type Check,
  type Finding,
  fail,
  ok,
  type Server,
  warn,
} from './doctor-check.ts'
import { queueNames } from './job-kinds.ts'
import { required } from './require-settings.ts'

/** PostgreSQL 14 has all that the statements use; older ones are out of support. */
const postgresVersionMin = 140_000
/** Token times have a leeway of 30 s; clocks further apart than this eat into it. */
const skewMsMax = 2_000
/** A socket per connection and some to spare. */
const filesMin = 4_096

export function processChecks(config: Config): readonly Check[] {
  return [
    {
      name: 'mode',
      run: () =>
        config.POSTERN_MODE === 'production'
          ? ok('production')
          : warn(
              'development: literal credentials and plain connections are allowed',
              'unset POSTERN_MODE',
            ),
    },
    { name: 'user', run: checkUser },
    { name: 'open files', run: checkOpenFiles },
    { name: 'data directory', run: () => checkDataDirectory(config) },
  ]
}

function checkUser(): Finding {
  const uid = process.getuid?.()
  if (uid !== 0) return ok(`uid ${uid}`)
  return warn(
    'uid 0: a break-out would own the host',
    'run it as another user; the image has 65532',
  )
}

async function checkOpenFiles(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = Number.parseInt(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? '', 10)
  if (!Number.isInteger(soft) || soft >= filesMin) return ok(Number.isNaN(soft) ? '?' : `${soft}`)
  return warn(`${soft}, too few for many callers`, `raise it to ${filesMin} or more (ulimit -n)`)
}

/** Secret zero, then every reference that the configuration holds. */
export function storeChecks(config: Config, secrets: AskSecrets): readonly Check[] {
  const references = Object.entries(config).flatMap(([name, value]) =>
    typeof value === 'string' && isSecretReference(value) ? [{ name, value }] : [],
  )
  const store: Check = {
    name: 'secret store',
    async run() {
      const open = secrets()
      if (open === undefined) {
        return references.length === 0
          ? warn(
              'none: credentials are literals',
              'set POSTERN_SECRET_STORE; without is for a laptop',
            )
          : fail('none, yet there are references', 'set POSTERN_SECRET_STORE')
      }
      await open.store.check()
      return ok(`${open.store.name}, opened with ${open.secretZero}`)
    },
  }
  const resolved = references.map(({ name, value }) => ({
    name,
    async run() {
      await resolveCredential(secrets()?.reader, value)
      return ok('resolves')
    },
  }))
  return [store, ...resolved]
}

async function checkDataDirectory(config: Config): Promise<Finding> {
  const path = config.POSTERN_DATA_DIRECTORY
  const isWritable = await access(path, constants.W_OK).then(
    () => true,
    () => false,
  )
  return ok(isWritable ? `${path} is writable` : `${path} is not there; only \`up\` needs it`)
}

export function databaseChecks(config: Config, secrets: AskSecrets): readonly Check[] {
  const ask = async <Answer>(question: (sql: Sql) => Promise<Answer>): Promise<Answer> => {
    const url = await databaseUrl(config, secrets()?.reader)
    const sql = connectDatabase(config, url, { use: 'doctor', connections: 1 })
    try {
      return await question(sql)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
  const server = serverOf(config, secrets, 'POSTERN_DATABASE_URL')
  return [
    { name: 'postgres', server, run: () => ask(checkServer) },
    {
      name: 'schema',
      run: async () => {
        const target = { queue: config.POSTERN_QUEUE, queues: queueNames }
        const pending = await ask((sql) => pendingMigrations({ sql, ...target }))
        if (pending.length === 0) return ok('up to date')
        return fail(`${pending.join(', ')} not applied`, 'run `postern migrate`')
      },
    },
    {
      name: 'database login',
      run: async () => judgeLogin(await ask(inspectLogin), config.POSTERN_MODE),
    },
  ]
}

function judgeLogin({ name, isUnbound, roles, excess }: Login, mode: Config['POSTERN_MODE']) {
  if (excess.length > 0) {
    return fail(`rights that nobody may have: ${excess.join(', ')}`, 'revoke them')
  }
  if (isUnbound && mode === 'production') {
    return warn(
      `${name} owns the tables or is a superuser: what it runs could rewrite the audit log`,
      `keep it for \`postern migrate\`; run with a login that was granted ${databaseRoles.join(', ')}`,
    )
  }
  if (roles.length === 0) {
    return fail(
      `${name} may not act as any process`,
      `run \`postern migrate\`, then as an administrator: grant ${databaseRoles.join(', ')} to ${quoteName(name)}`,
    )
  }
  const detail = `${name}, which may act as ${roles.join(', ')}`
  const isUnion = roles.includes('postern_gateway') && roles.includes('postern_rotator')
  if (!isUnion || isUnbound) return ok(detail)
  return warn(
    `${detail}: the small form, whose role is the union of theirs`,
    'right for `postern run`; else give each process a login and a role of its own',
  )
}

async function checkServer(sql: Sql): Promise<Finding> {
  const before = Date.now()
  const [row] = await sql<ServerFacts[]>`
    select current_setting('server_version_num')::integer as number,
      current_setting('server_version') as name, clock_timestamp() as now,
      current_setting('fsync') as fsync`
  const after = Date.now()
  if (row === undefined) return fail('no answer', 'look at the log of the server')
  return judgeServer(row, { before, after })
}

type ServerFacts = {
  readonly number: number
  readonly name: string
  readonly now: Date
  readonly fsync: string
}

export function judgeServer(
  { number, name, now, fsync }: ServerFacts,
  { before, after }: { readonly before: number; readonly after: number },
): Finding {
  if (number < postgresVersionMin) return fail(`version ${name}`, 'upgrade to 14 or newer')
  if (fsync !== 'on') return fail('fsync is off: a crash loses commits', 'set fsync = on')
  const skewMs = Math.round(now.getTime() - (before + after) / 2)
  if (Math.abs(skewMs) > skewMsMax + (after - before)) {
    return warn(`its clock is ${skewMs} ms from ours`, 'synchronise both with NTP')
  }
  return ok(`version ${name}, clock ${skewMs} ms from ours`)
}

export function redisChecks(config: Config, secrets: AskSecrets): readonly Check[] {
  const server = serverOf(config, secrets, 'POSTERN_REDIS_URL')
  return [{ name: 'redis', server, run: () => checkRedisServer(config, secrets) }]
}

function serverOf(
  config: Config,
  secrets: AskSecrets,
  setting: 'POSTERN_DATABASE_URL' | 'POSTERN_REDIS_URL',
): Server {
  return {
    setting,
    async place() {
      const reference = required(config, setting)
      const url = await resolveCredential(secrets()?.reader, reference)
      return URL.parse(url)?.host
    },
  }
}

async function checkRedisServer(config: Config, secrets: AskSecrets): Promise<Finding> {
  const reference = required(config, 'POSTERN_REDIS_URL')
  const connection = connectProducer({
    url: await resolveCredential(secrets()?.reader, reference),
    caFile: config.POSTERN_REDIS_CA_FILE,
    mode: config.POSTERN_MODE,
    cluster: config.POSTERN_REDIS_CLUSTER,
  })
  try {
    const { version, isPersistent } = await checkRedis(connection)
    if (isPersistent) return ok(`version ${version}, noeviction, append-only file`)
    return warn(
      `version ${version}, noeviction, no append-only file`,
      'a restart empties the queues and costs a re-dispatch from Postgres; set appendonly yes',
    )
  } finally {
    connection.disconnect()
  }
}
