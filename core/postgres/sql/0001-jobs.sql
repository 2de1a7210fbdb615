-- A job is accepted by the row in postern_job; everything else about it may be lost and made again.
create table postern_job (
  id uuid primary key,                    -- UUIDv7, so its order is the order of acceptance
  kind text not null,
  -- accepted, running, completed, failed or cancelled: only our own statements write it, and a
  -- check of each insert costs a tenth of it.
  state text not null default 'accepted',
  issuer text not null,
  subject text not null,
  tag text,
  payload jsonb not null,
  priority integer not null,              -- 0 first, larger later
  not_before timestamptz,                 -- the end of a delay
  attempts_max integer not null,
  timeout_ms integer not null,
  callback_url text,
  request_id text not null,
  traceparent text,
  accepted_at timestamptz not null,
  dispatch integer not null default 1,    -- how often it was given to the queue engine
  fence bigint not null default 0,        -- dispatch * 1000 + attempt of the newest run seen
  started_at timestamptz,
  finished_at timestamptz,
  worker text,
  result jsonb,
  problem jsonb,                          -- RFC 9457 body of a failed or cancelled job
  changed xid8 not null default pg_current_xact_id()
);
create index postern_job_unfinished on postern_job (kind, id) where finished_at is null;
create index postern_job_failed on postern_job (kind, id) where state = 'failed';
create index postern_job_subject on postern_job (subject, id);
-- Server-sent events read changes in commit order: rows below the snapshot's xmin are complete.
create index postern_job_changed on postern_job (kind, changed, id);

-- One row per accepted batch; deleted once the queue engine has the jobs.
create table postern_outbox (
  id uuid primary key,
  jobs uuid[] not null,
  -- Whoever accepted the jobs dispatches them at once; from here on the sweeper does.
  due_at timestamptz not null default now() + interval '2 seconds'
);
create index postern_outbox_due on postern_outbox (due_at);

create table postern_idempotency (
  issuer text not null,
  subject text not null,
  method text not null,
  route text not null,
  key text not null,
  fingerprint bytea not null,             -- SHA-256 of the canonical payload
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (subject, key, route, method, issuer)
);
create index postern_idempotency_age on postern_idempotency using brin (created_at);

-- Unordered intake of the audit log; one sequencer turns it into the signed Merkle log.
create table postern_audit_intake (
  id bigint generated always as identity primary key,
  rec uuid not null,                      -- the record's own id, also inside body
  body bytea not null                     -- RFC 8785 JSON, hashed as stored
);

create table postern_queue (
  kind text primary key,
  paused_at timestamptz,
  paused_by text
);

-- Work that one process does for all; a lease that ends is taken by the next.
create table postern_lease (
  name text primary key,
  holder uuid not null,
  until timestamptz not null
);

-- One row per live process; the rate limit of a subject is shared by the live gateways.
create table postern_process (
  id uuid primary key,
  role text not null,
  host text not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  canary_at timestamptz
);

-- Tokens that must no longer be admitted: by token id, by subject or by signing key.
create table postern_revocation (
  id bigint generated always as identity primary key,
  issuer text not null,
  claim text not null check (claim in ('jti', 'sub', 'kid')),
  value text not null,
  reason text not null,
  revoked_by text not null,
  revoked_at timestamptz not null default now(),
  expires_at timestamptz,
  unique (issuer, claim, value)
);
