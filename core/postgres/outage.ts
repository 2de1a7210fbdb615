import { z } from 'zod'
import { type ErrorCode, PosternError } from '../errors.ts'

/** Seconds; a restart of Postgres takes a few, and asking sooner costs nothing. */
const retryAfterSeconds = 1

/** postgres.js and the socket under it, by code. */
const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ERR_SOCKET_CLOSED',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
])

/**
 * SQLSTATE classes and codes (PostgreSQL appendix A) that say the server cannot serve now:
 * 08 connection, 28 and 3D a login or database that is not there (yet), 53 resources, 57P shutdown,
 * 57014 statement timeout, 55P03 lock timeout, 25006 a read-only standby, 40001 and 40P01 to be
 * tried again.
 */
const outageState = /^(?:08|28|3D|53|57P|57014|55P03|25006|40001|40P01)/

/** Ours for the same: Postgres cannot serve, or cannot hold the records of what it is asked to do. */
const outageCodes: ReadonlySet<ErrorCode> = new Set(['database.unavailable', 'audit.unavailable'])

const withCode = z.object({ code: z.string() })

/** The outage behind a driver's error, or undefined when the statement itself was refused. */
export function databaseOutage(error: unknown): PosternError | undefined {
  if (error instanceof PosternError) return outageCodes.has(error.code) ? error : undefined
  const parsed = withCode.safeParse(error)
  if (!parsed.success) return undefined
  const { code } = parsed.data
  if (!connectionCodes.has(code) && !outageState.test(code)) return undefined
  return new PosternError('database.unavailable', { reason: code, retryAfterSeconds, cause: error })
}

/** For `.catch` behind a statement: an outage under its own code, anything else as it was. */
export function rethrowAsOutage(error: unknown): never {
  throw databaseOutage(error) ?? error
}

/** Invalid password, no login right, no such user (SQLSTATE class 28). */
const loginRefused = z.object({ code: z.enum(['28P01', '28000']) })

/** Whether the server lets this login in no more, behind whatever was made of its answer. */
export function isLoginRefused(error: unknown): boolean {
  if (loginRefused.safeParse(error).success) return true
  return error instanceof Error && error.cause !== undefined && isLoginRefused(error.cause)
}
