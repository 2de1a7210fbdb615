import type { Sql } from 'postgres'
import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from './outage.ts'

/** One per kind of process, made by migration 0004; nobody logs in as them. */
export const databaseRoles = [
  'postern_gateway',
  'postern_worker',
  'postern_sequencer',
  'postern_rotator',
] as const
export type DatabaseRole = (typeof databaseRoles)[number]

/** SQLSTATE; a login that is no member of the role it asks for, or one that lacks a right. */
export const insufficientPrivilege = '42501'
/** SQLSTATE; at connecting it says that the role is not there. */
const invalidParameterValue = '22023'

const serverError = z.object({ code: z.string() })

/** The SQLSTATE of a statement that the server refused. */
export function refusedState(error: unknown): string | undefined {
  return serverError.safeParse(error).data?.code
}

/**
 * Asks the server whether a pool's connections act as `role`. Throws `ConfigError` when its login
 * may not or something in between drops the request, `database.schema_refused` when the server has
 * no such role yet, and `database.unavailable`.
 */
export async function confirmRole(options: {
  readonly sql: Sql
  readonly role: DatabaseRole
  /** For the words of the refusal. */
  readonly login: string
}): Promise<void> {
  const { sql, role, login } = options
  const [row] = await sql<{ name: string }[]>`select current_user as name`.catch((error: unknown) =>
    refuseRole(error, role, login),
  )
  if (row?.name === role) return
  throw new ConfigError([
    `POSTERN_DATABASE_URL: connections act as ${row?.name} and not as ${role}; what stands between ` +
      'here and the server must pass on the startup parameter `role`',
  ])
}

function refuseRole(error: unknown, role: DatabaseRole, login: string): never {
  const state = refusedState(error)
  if (state === insufficientPrivilege) {
    throw new ConfigError([
      `POSTERN_DATABASE_URL: the login ${login} may not act as ${role}; ` +
        `let an administrator of the server run: grant ${role} to ${quoteName(login)}`,
    ])
  }
  if (state === invalidParameterValue) {
    const detail = `The server has no role ${role}; run \`postern migrate\`.`
    throw new PosternError('database.schema_refused', { detail, cause: error })
  }
  return rethrowAsOutage(error)
}

/** As it must be written in SQL (PostgreSQL manual 4.1.1). */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
