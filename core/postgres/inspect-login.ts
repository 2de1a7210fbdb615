import type { Sql } from 'postgres'
import { type DatabaseRole, databaseRoles } from './database-role.ts'

/** What nobody may change or remove, whatever it runs as. */
const sealedTables = ['postern_audit_entry', 'postern_audit_checkpoint']
const sealedAgainst = ['update', 'delete', 'truncate']

export type Login = {
  readonly name: string
  /** Bound by no grant: a superuser, or one with the rights of the tables' owner. */
  readonly isUnbound: boolean
  /** The roles it may act as. */
  readonly roles: readonly DatabaseRole[]
  /** Rights on the sealed tables that it or a role has all the same, as `postern_worker: delete on …`. */
  readonly excess: readonly string[]
}

/** What the login of a pool may do, as far as the server tells. The pool asks for no role. */
export async function inspectLogin(sql: Sql): Promise<Login> {
  const [row] = await sql<{ name: string; isUnbound: boolean }[]>`
    select rolname as name, rolsuper or exists (
        select from pg_class where relname like 'postern\\_%' and relkind = 'r'
          and pg_has_role(current_user, relowner, 'member')) as "isUnbound"
    from pg_roles where rolname = current_user`
  if (row === undefined) throw new Error('the server does not know who is asking')
  const known: readonly string[] = databaseRoles
  const members = await sql<{ name: string }[]>`
    select rolname as name from pg_roles
    where rolname = any(${[...known]}::text[]) and pg_has_role(current_user, oid, 'member')`
  const roles = databaseRoles.filter((role) => members.some(({ name }) => name === role))
  const judged = row.isUnbound ? [...known] : [...known, row.name]
  const excess = await sql<{ line: string }[]>`
    select rolname || ': ' || privilege || ' on ' || relname as line
    from pg_roles, pg_class, unnest(${sealedAgainst}::text[]) as privilege
    where rolname = any(${judged}::text[]) and relname = any(${sealedTables}::text[])
      and relkind = 'r' and has_table_privilege(pg_roles.oid, pg_class.oid, privilege)
    order by 1`
  return { ...row, roles, excess: excess.map(({ line }) => line) }
}
