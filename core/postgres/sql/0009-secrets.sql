-- Which version of a secret is in force. Readers follow it; what a store labels is a mirror of it.
create table postern_secret (
  name text collate "C" primary key,
  -- How it is rotated: postgres-role, redis-user, signing-key or api-key; null: by hand.
  kind text,
  settings jsonb not null default '{}',         -- of the kind
  current_version text not null,
  previous_version text,
  fingerprint bytea not null,                   -- of the current version's members
  previous_fingerprint bytea,
  epoch bigint not null default 1,              -- one more with each move of the pointer
  rotation_days integer not null default 90 check (rotation_days between 1 and 36500),
  due_at timestamptz not null,
  created_at timestamptz not null default now(),
  rotated_at timestamptz
);

-- Each rotation, from its plan on; a step that began before a crash is found here and run again.
create table postern_secret_rotation (
  id uuid primary key,                          -- UUIDv7; the version is staged under it
  name text collate "C" not null references postern_secret (name),
  -- What is next: stage, set, test, promote, settle, retire or undo; done and undone are ends.
  step text not null,
  epoch bigint not null,                        -- the pointer's, when it was planned
  base_version text not null,
  pending_version text,
  fingerprint bytea,                            -- of the pending version's members
  attempts integer not null default 0,          -- of the step
  next_try_at timestamptz not null,
  error text,                                   -- why the step is tried again, or why it is undone
  opened_by text not null,
  opened_at timestamptz not null,
  promoted_at timestamptz,
  ended_at timestamptz
);
create unique index postern_secret_rotation_open on postern_secret_rotation (name)
  where ended_at is null;
create index postern_secret_rotation_name on postern_secret_rotation (name, id);

-- Who uses a secret, and what it has proved: a login with this version. Empty: nothing yet. The row
-- comes before the first read, so that whoever starts during a rotation is waited for.
create table postern_secret_ack (
  process uuid not null,
  name text collate "C" not null,
  version text not null,
  fingerprint bytea not null,
  proved_at timestamptz not null default now(),
  primary key (process, name)
);

-- Makes fingerprints worthless to whoever does not have this database.
create table postern_deployment (
  one boolean primary key default true check (one),
  id uuid not null default gen_random_uuid(),
  fingerprint_key bytea not null
    default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
);
insert into postern_deployment default values;

grant select, insert on postern_secret
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;
grant update on postern_secret to postern_rotator;
grant select on postern_secret_rotation, postern_secret_ack to postern_gateway;
grant select, insert, update on postern_secret_rotation to postern_rotator;
grant select, insert, update, delete on postern_secret_ack
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;
grant select on postern_deployment
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;
