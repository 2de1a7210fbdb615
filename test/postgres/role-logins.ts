import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'

const opened: Sql[] = []

/** A pool for as long as the test file runs. */
export function connect(url: string, role?: DatabaseRole): Sql {
  const applicationName = 'roles test'
  const sql = connectPostgres({ url, mode: 'development', applicationName, max: 2, role })
  opened.push(sql)
  return sql
}

export async function disconnectAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((sql) => sql.end({ timeout: 1 })))
}

export function loggedInAs(name: string, url: string): string {
  const changed = new URL(url)
  changed.username = name
  return changed.href
}

/** A new login of the server with what the given words grant. */
export async function makeLogin(admin: Sql, words = ''): Promise<string> {
  const name = `login_${crypto.randomUUID().slice(0, 8)}`
  await admin.unsafe(`create role ${name} login ${words}`)
  return name
}
