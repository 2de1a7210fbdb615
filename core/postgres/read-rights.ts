import type { Sql, TransactionSql } from 'postgres'
import { databaseRoles } from './database-role.ts'

/** `postern_worker postern_job: DELETE, INSERT, SELECT, UPDATE`; PUBLIC is everybody. */
export type RightsLine = string

/**
 * What the roles of our processes, and everybody, may do to what migrations make, a line each; and
 * what the roles may do beside it, which is nothing.
 */
export async function readRights(sql: Sql | TransactionSql): Promise<readonly RightsLine[]> {
  const roles = [...databaseRoles]
  const granted = await sql<{ line: string }[]>`
    with roles as (
      select oid, rolname::text as name from pg_roles where rolname = any(${roles}::text[])
      union all select 0, 'PUBLIC'
    ), acl as (
      select c.relname::text as what, c.relowner as owner, a.grantee, a.privilege_type
      from pg_class c, aclexplode(c.relacl) a
      where c.relnamespace = 'public'::regnamespace and c.relname like 'postern\\_%'
        and c.relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select format('%s(%s)', c.relname, t.attname), c.relowner, a.grantee, a.privilege_type
      from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
      where c.relnamespace = 'public'::regnamespace and c.relname like 'postern\\_%'
        and t.attnum > 0 and not t.attisdropped
      union all
      select 'schema public', n.nspowner, a.grantee, a.privilege_type
      from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'public'
    )
    select format('%s %s: %s', roles.name, acl.what,
      string_agg(distinct acl.privilege_type, ', ' order by acl.privilege_type)) as line
    from acl join roles on roles.oid = acl.grantee
    where acl.grantee <> acl.owner
    group by roles.name, acl.what`
  const beside = await sql<{ line: string }[]>`
    select format('%s attributes: %s', rolname, concat_ws(', ',
        case when rolsuper then 'SUPERUSER' end, case when rolcreaterole then 'CREATEROLE' end,
        case when rolcreatedb then 'CREATEDB' end, case when rolbypassrls then 'BYPASSRLS' end,
        case when rolreplication then 'REPLICATION' end, case when rolcanlogin then 'LOGIN' end))
      as line
    from pg_roles where rolname = any(${roles}::text[])
      and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication or rolcanlogin)
    union all
    select format('%s member of: %s', m.rolname, string_agg(g.rolname, ', ' order by g.rolname))
    from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
    where m.rolname = any(${roles}::text[]) group by m.rolname`
  return [...granted, ...beside].map(({ line }) => line).sort()
}
