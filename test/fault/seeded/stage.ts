import { chmod, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { ingestBars, openAccount } from '#test/bench/order-stage.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { removeAtExit } from '#test/support/server-process.ts'
import { openWays, type Way } from '#test/support/toxiproxy.ts'
import { type MovedClock, movedClock } from '../moved-clock.ts'
import { type Callers, seededAccess } from './access.ts'
import { type PosternProcess, posternProcess } from './postern-process.ts'
import { openRedis, type RedisPlaces } from './redis-places.ts'
import { openSecretServer } from './secret-server.ts'
import { openSmallDisk, type SmallDisk } from './small-disk.ts'

const mainFile = join(import.meta.dir, '../../../main.ts')
const logName = 'log.postern.example/seeded'
/** That of the caller `main`. */
export const account = 'bench-0'

/** What a fault needs besides the usual servers; `source` runs from source, with a clock that moves. */
export type Flavour = 'plain' | 'clock' | 'source' | 'disk' | 'full' | 'replica' | 'cluster'

const settings = {
  POSTERN_MODE: 'development',
  POSTERN_LOG_LEVEL: 'warn',
  POSTERN_DATABASE_URL: 'secret:postern/database#url',
  POSTERN_REDIS_URL: 'secret:postern/redis#url',
  POSTERN_AUDIT_KEYS: 'secret:postern/audit#keys',
  POSTERN_AUDIT_ORIGIN: logName,
}

export type Stage = {
  readonly postern: PosternProcess
  readonly callers: Callers
  /** Looks at what Postgres holds, past Toxiproxy. */
  readonly sql: Sql
  readonly postgres: PostgresServer
  readonly redis: RedisPlaces
  readonly ways: Readonly<Record<'postgres' | 'redis' | 'keys' | 'secrets', Way>>
  readonly log: { readonly folder: string; readonly verifierKey: string }
  /** Of the flavours that have one. */
  readonly clock: MovedClock | undefined
  readonly disk: SmallDisk | undefined
  close(): Promise<void>
}

/** A flavour that this machine cannot offer. */
export class NotHere extends Error {}

/** Postgres, Redis, keys and secrets behind Toxiproxy, and `run` as the image starts it. */
export async function openStage(binary: string, flavour: Flavour): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-seeded-'))
  removeAtExit(folder)
  await chmod(folder, 0o755)
  const { clock, disk } = await extras(flavour, folder)
  const ways = await openWays()
  const [server, redis] = await Promise.all([
    startPostgres({
      environment: flavour === 'clock' ? (clock?.environment ?? {}) : {},
      folder: flavour === 'full' ? disk?.path : undefined,
    }),
    openRedis(flavour === 'cluster' || flavour === 'replica' ? flavour : 'one'),
  ])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined, backoff: () => 0.1 })
  const access = await seededAccess(folder, (port) => ways.to('keys', port))
  const toPostgres = await ways.to('postgres', server.port)
  const toRedis = await ways.to('redis', redis.first.port)
  const log = {
    folder: join((flavour === 'disk' ? disk?.path : undefined) ?? folder, 'audit'),
    ...generateSignerKey(logName, 'ed25519'),
  }
  await mkdir(log.folder)
  const database = new URL(server.url)
  database.port = String(toPostgres.port)
  // A cluster names its nodes itself, past any proxy.
  const redisPort = flavour === 'cluster' ? redis.first.port : toRedis.port
  const secrets = await openSecretServer(
    folder,
    {
      'postern/database': { url: database.href },
      'postern/redis': { url: `redis://127.0.0.1:${redisPort}` },
      'postern/audit': { keys: log.signerKey },
    },
    (port) => ways.to('secrets', port),
  )
  const postern = await posternProcess({
    self: flavour === 'source' ? [process.execPath, mainFile] : [binary],
    folder,
    environment: {
      ...settings,
      ...secrets.environment,
      POSTERN_ACCESS_FILE: access.file,
      POSTERN_DATA_DIRECTORY: folder,
      POSTERN_REDIS_CLUSTER: String(flavour === 'cluster'),
      POSTERN_AUDIT_STORE: log.folder,
      ...(flavour === 'source' ? clock?.environment : {}),
    },
  })
  const migrated = await postern.command(['migrate'])
  if (migrated.code !== 0) throw new Error(`migrate: ${migrated.out}`)
  await openAccount(sql, account, {})
  await postern.start()
  await ingestBars(postern.url, access.callers.main)

  return {
    ...{ postern, sql, postgres: server, redis, log, clock, disk, callers: access.callers },
    ways: { postgres: toPostgres, redis: toRedis, keys: access.way, secrets: secrets.way },
    async close() {
      await postern.end('SIGKILL')
      await sql.end({ timeout: 1 })
      await Promise.all([redis.stop(), server.stop('immediate'), ways.stop()])
      await Promise.all([access.stop(), secrets.stop()])
      await disk?.close()
    },
  }
}

async function extras(
  flavour: Flavour,
  folder: string,
): Promise<{ readonly clock: MovedClock | undefined; readonly disk: SmallDisk | undefined }> {
  const needsClock = flavour === 'clock' || flavour === 'source'
  const needsDisk = flavour === 'disk' || flavour === 'full'
  const clock = needsClock ? await movedClock() : undefined
  const disk = needsDisk ? await openSmallDisk(folder) : undefined
  if (needsClock && clock === undefined) throw new NotHere('no libfaketime (Debian: faketime)')
  if (needsDisk && disk === undefined) throw new NotHere('no right to mount a file system')
  return { clock, disk }
}
