-- One role per kind of process, granted what that process runs and nothing else. Tables stay with
-- whoever migrates, a login that no process uses. Roles belong to the whole server: other databases
-- may have made them, or be making them now.
do $$
declare
  role_name text;
begin
  foreach role_name in array
    array['postern_gateway', 'postern_worker', 'postern_sequencer', 'postern_rotator']
  loop
    if exists (select from pg_roles where rolname = role_name) then
      continue;
    end if;
    begin
      execute format('create role %I nologin', role_name);
    exception
      when duplicate_object or unique_violation then
        null;
      when insufficient_privilege then
        raise exception 'it may not create the role %', role_name
          using errcode = 'insufficient_privilege',
            hint = 'Let an administrator of the server run: create role postern_gateway; '
              'create role postern_worker; create role postern_sequencer; '
              'create role postern_rotator. Then migrate again.';
    end;
  end loop;
end
$$;

-- What anybody may create there, everybody's statements may find (before PostgreSQL 15).
revoke create on schema public from public;
grant usage on schema public
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;

grant select on postern_migration
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;
grant select, insert, update, delete on postern_process
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;

-- Both keep house: they sweep, reconcile and clean up.
grant select, insert, update, delete on postern_job, postern_outbox
  to postern_gateway, postern_worker;
grant select, insert, update on postern_lease to postern_gateway, postern_worker;
grant select, delete on postern_idempotency to postern_gateway, postern_worker;
grant insert on postern_idempotency to postern_gateway;
grant select on postern_queue to postern_gateway, postern_worker;
grant insert, update on postern_queue to postern_gateway;

-- The rotator denies what a rotation replaces.
grant select, insert, update on postern_revocation to postern_gateway, postern_rotator;

grant select, insert on postern_trade to postern_gateway;
grant select on postern_trade to postern_worker;
grant select, insert, delete on postern_trade_staging to postern_gateway;
grant select on postern_cohort, postern_score to postern_gateway, postern_worker;
grant insert, update on postern_cohort, postern_score to postern_worker;

-- A record is written and never seen again by its writer.
revoke all on postern_audit_intake from public;
grant insert on postern_audit_intake
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;
grant select, delete on postern_audit_intake to postern_sequencer;

-- The log: one writer, and for the gateway's routes one more reader. Nobody has a right to change
-- or remove an entry; of a checkpoint only what became of it is noted.
revoke all on postern_audit_entry, postern_audit_checkpoint, postern_audit_head,
  postern_audit_aside from public;
grant select on postern_audit_entry, postern_audit_checkpoint, postern_audit_head
  to postern_gateway, postern_sequencer;
grant insert on postern_audit_entry, postern_audit_checkpoint, postern_audit_aside
  to postern_sequencer;
grant update (published_at, witnessed_note, witnessed_at) on postern_audit_checkpoint
  to postern_sequencer;
grant update on postern_audit_head to postern_sequencer;
