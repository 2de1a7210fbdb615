import postgres, { type Sql } from 'postgres'
import { arrayTypes } from './bound-arrays.ts'
import type { DatabaseRole } from './database-role.ts'
import { type DatabaseOptions, parseDatabaseUrl } from './database-url.ts'
import { startupOptions } from './driver-socket.ts'
import { type ConnectionCount, poolSockets } from './pool-sockets.ts'

/** Longer than any statement of a request may take; a report sets its own inside its transaction. */
const statementTimeoutMsDefault = 10_000
/** A transaction left open holds back every clean-up of the database. */
const idleTransactionMsDefault = 30_000
/** How much longer than a statement's own limit its answer is waited for. */
const answerGraceMs = 2_000
/** Seconds; a peer that vanished between statements is noticed by TCP. */
const keepAliveSeconds = 30

export type ConnectOptions = DatabaseOptions & {
  readonly applicationName: string
  readonly max: number
  /** Whose rights the connections have; without it the login's own. The embedded engine has one. */
  readonly role?: DatabaseRole | undefined
  /** How long a transaction of a process that stands still holds its locks. */
  readonly idleTransactionMs?: number
  /**
   * For statements that all find their rows by an index: on a table that has just begun to grow the
   * planner thinks of a few rows, keeps a plan that reads all of them, and gets slower by the hour.
   */
  readonly prefersIndexes?: boolean
  /** 0 for migrations and restores: no limit, and no deadline for the server's answer either. */
  readonly statementTimeoutMs?: number
}

/** One look-up by an index for each key: what is left when nothing may read a whole table or index. */
const lookUpsOnly = {
  ...{ enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' },
  max_parallel_workers_per_gather: '0',
}

/**
 * A pool; nothing is opened before the first query. A server that is down rejects a query at once
 * with `database.unavailable`, and one that is back serves the next. Throws `ConfigError` for a URL
 * whose server would not be verified.
 */
export function connectPostgres(options: ConnectOptions): Sql {
  return connectPool(options).sql
}

export type Pool = {
  readonly sql: Sql
  /** No connection owes an answer to a statement or is in a transaction. */
  readonly isIdle: () => boolean
  /** No connection is open. */
  readonly isClosed: () => boolean
  readonly connections: () => ConnectionCount
}

/** The same, with a look at its connections. */
export function connectPool(options: ConnectOptions): Pool {
  const { applicationName, max, role, statementTimeoutMs = statementTimeoutMsDefault } = options
  const address = parseDatabaseUrl(options)
  const answerTimeoutMs = statementTimeoutMs === 0 ? 0 : statementTimeoutMs + answerGraceMs
  const sockets = poolSockets({ address, answerTimeoutMs })
  // A variable, because `socket` is documented but missing from the library's declarations.
  const driverOptions = {
    max,
    // The sockets come secured; postgres.js must not ask for TLS a second time.
    ssl: false,
    fetch_types: false,
    types: arrayTypes,
    socket: sockets.open,
    // The sockets pace the attempts, for the whole pool together.
    backoff: () => 0,
    keep_alive: keepAliveSeconds,
    // The driver ends connections of half an hour to an hour. Age is no fault, and how many there are
    // would no longer say whether some are lost.
    max_lifetime: null,
    onnotice: () => undefined,
    connection: {
      options: startupOptions,
      application_name: applicationName,
      ...(role === undefined ? {} : { role }),
      // Statements here last milliseconds; compiling one takes a hundred, each time it runs.
      jit: 'off',
      ...(options.prefersIndexes === true ? lookUpsOnly : {}),
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: options.idleTransactionMs ?? idleTransactionMsDefault,
    },
  }
  const sql = postgres(address.url, driverOptions)
  return {
    ...{ sql, connections: sockets.count },
    ...{ isIdle: sockets.areIdle, isClosed: sockets.areClosed },
  }
}
