-- What runs by the clock. The queue engine's schedulers mirror it; what fires is decided here.
create table postern_schedule (
  name text collate "C" primary key,
  kind text not null,
  payload jsonb not null,
  cron text not null,                           -- five fields
  time_zone text not null,                      -- IANA
  misfire text not null check (misfire in ('skip', 'run_once', 'backfill')),
  backfill_max integer not null check (backfill_max between 1 and 100),
  overlap text not null check (overlap in ('skip', 'queue', 'allow')),
  source text not null check (source in ('built_in', 'operator')),
  -- Every slot up to here has been decided; a change of the pattern and a resume move it to their time.
  settled_until timestamptz not null,
  paused_at timestamptz,
  paused_by text,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  changed_by text not null
);

-- What became of each slot. Without a reference: history outlives a schedule that was removed.
create table postern_schedule_run (
  id uuid primary key,                          -- UUIDv7
  schedule text collate "C" not null,
  slot timestamptz not null,
  cause text not null check (cause in ('cron', 'backfill', 'now')),
  outcome text not null check (outcome in ('submitted', 'skipped_overlap', 'skipped_misfire')),
  job uuid,
  requested_by text,                            -- who asked for a run that no slot brought about
  at timestamptz not null,
  check ((outcome = 'submitted') = (job is not null))
);
-- A slot is decided once, whoever ticks.
create unique index postern_schedule_run_slot on postern_schedule_run (schedule, slot)
  where cause <> 'now';
create index postern_schedule_run_newest on postern_schedule_run (schedule, id);
create index postern_schedule_run_age on postern_schedule_run using brin (at);

grant select, insert, update, delete on postern_schedule to postern_gateway;
grant select, insert on postern_schedule_run to postern_gateway;
-- Workers make the built-in ones, fire what is due, and clear away old history.
grant select, insert, update on postern_schedule to postern_worker;
grant select, insert, delete on postern_schedule_run to postern_worker;
