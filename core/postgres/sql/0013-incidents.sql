-- Times in which the service could not serve. Whoever saw one tells it, as soon as there is a
-- database to tell; what several saw at once is one row.
create table postern_incident (
  id uuid primary key,                          -- UUIDv7 of when it was told; the order of lists
  class text not null check (class in ('process', 'database', 'queue', 'workers', 'gateway',
    'sequencer', 'tile-store', 'secret-store', 'issuer', 'venue')),
  reason text not null,                         -- of who saw it first; our words
  started_at timestamptz not null,              -- the first failing sight
  failing_at timestamptz not null,              -- the last one
  good_at timestamptz,                          -- of who saw it failing: the first good sight behind it
  recovered_at timestamptz,
  -- Nobody could say any more whether it serves: closed, and no recovery was measured.
  is_unseen boolean not null default false,
  check (recovered_at >= started_at)
);
create unique index postern_incident_open on postern_incident (class) where recovered_at is null;
create index postern_incident_class on postern_incident (class, started_at);

-- The last sign of life of any process that serves, or that the last of them was stopped in order.
create table postern_alive (
  one boolean primary key default true check (one),
  alive_at timestamptz not null default now(),
  is_stopped boolean not null default true
);
insert into postern_alive default values;

grant select, insert, update, delete on postern_incident to postern_gateway, postern_worker;
grant select, update on postern_alive to postern_gateway, postern_worker;
