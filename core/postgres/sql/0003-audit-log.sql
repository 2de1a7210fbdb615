-- What a bundle of the log cannot hold must not be accepted: it would stop the log.
alter table postern_audit_intake
  add constraint postern_audit_intake_body check (octet_length(body) between 1 and 65535),
  -- The queue's dead rows stand where each reader begins.
  set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- The log: records in the order that the signed tree gives them. Nobody updates or deletes.
create table postern_audit_entry (
  idx bigint primary key,
  rec uuid not null,
  body bytea not null,                    -- exactly the bytes that were accepted
  leaf bytea not null generated always as (sha256('\x00'::bytea || body)) stored,  -- RFC 6962
  -- Read out of the body for filters; null where the body has none. The body alone is proved.
  ts timestamptz,
  type text,
  subject text,
  request_id text,
  constraint postern_audit_entry_rec unique (rec)
);
create index postern_audit_entry_ts on postern_audit_entry using brin (ts);
create index postern_audit_entry_subject on postern_audit_entry (subject, idx)
  where subject is not null;
create index postern_audit_entry_request on postern_audit_entry (request_id)
  where request_id is not null;
-- The frequent types are found at once by walking the log backwards; an index of them would cost
-- the sequencer a tenth.
create index postern_audit_entry_type on postern_audit_entry (type, idx)
  where type not in ('job.accepted', 'job.started', 'job.completed', 'access.read');

-- Every tree that was ever signed.
create table postern_audit_checkpoint (
  size bigint primary key,
  root bytea not null,
  note text not null,                     -- signed by the log; byte-identical when signed again
  signed_at timestamptz not null default now(),
  published_at timestamptz,
  witnessed_note text,                    -- with the cosignatures that the policy asks for
  witnessed_at timestamptz
);

-- One row. Whoever changes size or epoch compares both first: two leaders cannot fork the log.
create table postern_audit_head (
  one boolean primary key default true check (one),
  size bigint not null,
  root bytea not null,
  frontier bytea not null check (octet_length(frontier) % 32 = 0),  -- largest subtree first
  epoch bigint not null,                  -- one more with each leader
  owner uuid,
  -- Saves work, decides nothing: until then nobody else tries to lead.
  led_until timestamptz not null default '-infinity',
  frozen_at timestamptz
);
insert into postern_audit_head (size, root, frontier, epoch)
values (0, sha256(''), '', 0);

-- A record whose id is in the log with other bytes: kept for whoever looks into the alarm.
create table postern_audit_aside (
  rec uuid not null,
  body bytea not null,
  moved_at timestamptz not null default now()
);

create function postern_audit_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger postern_audit_entry_append_only
  before update or delete or truncate on postern_audit_entry
  for each statement execute function postern_audit_refuse_change();

-- A frozen log takes no more records, and what cannot be recorded is not done. The state is that of
-- a read-only server, which callers know as an outage.
create function postern_audit_refuse_frozen() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from postern_audit_head where frozen_at is not null) then
    raise exception 'the audit log is frozen' using errcode = 'read_only_sql_transaction';
  end if;
  return null;
end
$$;
create trigger postern_audit_intake_open
  before insert on postern_audit_intake
  for each statement execute function postern_audit_refuse_frozen();
