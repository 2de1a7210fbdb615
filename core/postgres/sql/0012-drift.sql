-- What differs from what is configured, as the last check of each source saw it.
create table postern_drift_finding (
  fingerprint text collate "C" primary key,     -- SHA-256 over deployment, source, address, attribute, kind
  id uuid not null unique,                      -- UUIDv7, a new one each time it is opened; the order of lists
  source text not null check (source in ('plan', 'terraform', 'runtime')),
  address text not null,
  attribute text not null,
  kind text not null check (kind in ('drift', 'change', 'gone', 'unread', 'differs')),
  severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
  summary text not null,                        -- no values but those that open nothing
  first_seen_at timestamptz not null,           -- since it was opened the last time
  last_seen_at timestamptz not null,
  resolved_at timestamptz,
  opened_count integer not null default 1
);
create index postern_drift_finding_open on postern_drift_finding (source) where resolved_at is null;

create table postern_drift_run (
  id uuid primary key,                          -- UUIDv7
  source text not null check (source in ('plan', 'terraform', 'runtime')),
  verdict text not null check (verdict in ('clean', 'noise', 'drift', 'error')),
  reason text,                                  -- of an error
  findings integer not null,
  opened integer not null,
  resolved integer not null,
  noise integer not null,
  plan_made_at timestamptz,                     -- of a signed plan
  by text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null
);
create index postern_drift_run_age on postern_drift_run using brin (ended_at);

-- The head of each source: a run is stored only behind the one that it began behind.
create table postern_drift_source (
  source text primary key check (source in ('plan', 'terraform', 'runtime')),
  run uuid,                                     -- the last one
  judged_at timestamptz,                        -- the end of the last one that was no error
  judged_until timestamptz                      -- when the newest plan that was judged was made
);
insert into postern_drift_source (source) values ('plan'), ('terraform'), ('runtime');

-- What each process runs, as it says itself.
alter table postern_process
  add column image_digest text,
  add column access_in_force text,              -- SHA-256 of the access file; of gateways
  add column access_on_disk text;               -- the same of what lies there now; empty: unreadable

grant select on postern_drift_finding, postern_drift_run, postern_drift_source to postern_gateway;
grant select, insert, update on postern_drift_finding to postern_worker;
grant select, insert, delete on postern_drift_run to postern_worker;
grant select, update on postern_drift_source to postern_worker;
