-- A rotation of what is revoked waits for nobody; another one may wait before it retires.
alter table postern_secret_rotation
  add column is_urgent boolean not null default false,
  add column retire_after timestamptz,
  add column roll_back_reason text;             -- somebody wants the version before back

-- What must no longer be let in: tokens, by claims of theirs; versions of secrets; logins at a target.
alter table postern_revocation drop constraint postern_revocation_claim_check;
alter table postern_revocation rename column claim to class;
alter table postern_revocation rename column expires_at to until;
alter table postern_revocation
  add check (class in ('jti', 'sub', 'kid', 'iss', 'secret', 'credential')),
  -- awaiting_second, in_force or lifted; new within the transaction that inserts it.
  add column state text not null default 'in_force',
  add column second_by text,                    -- of the two who had to agree
  -- Its place in the feed: readers that have heard this number know the row as it is.
  add column seq bigint not null default 0,
  add column in_force_at timestamptz not null default now(),
  add column effective_at timestamptz,          -- refused everywhere, open sessions included
  add column error text,                        -- why it is not effective yet
  add column lift_asked_by text,
  add column lift_asked_at timestamptz,
  add column lifted_by text,
  add column lifted_at timestamptz;
create index postern_revocation_pending on postern_revocation (class)
  where effective_at is null and state = 'in_force';

-- Its row lock gives the numbers out: nobody sees n + 1 before n is committed.
create table postern_revocation_feed (
  one boolean primary key default true check (one),
  seq bigint not null
);
insert into postern_revocation_feed (seq) select count(*) from postern_revocation;

-- Up to where each gateway has heard the feed.
create table postern_revocation_ack (
  process uuid primary key,
  seq bigint not null,
  heard_at timestamptz not null default now()
);

grant select, update on postern_revocation_feed to postern_gateway, postern_rotator;
grant select, insert, update, delete on postern_revocation_ack to postern_gateway;
-- Who used a secret how often; a value was given, from the store or from memory.
create table postern_secret_use (
  name text collate "C" not null,
  used_by text not null,                        -- role@host
  reads bigint not null,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  primary key (name, used_by)
);
grant select, insert, update on postern_secret_use
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;

-- Asked over HTTP, done by the rotator; found due by a job.
grant insert, update on postern_secret_rotation to postern_gateway;
grant select, insert on postern_secret_rotation to postern_worker;
grant select on postern_secret_ack to postern_worker;
