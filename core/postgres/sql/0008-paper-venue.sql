-- The paper venue keeps its own books, in transactions of its own: to the desk it is a broker.
create table postern_paper_order (
  account text collate "C" not null,
  client_order_id text collate "C" not null,
  venue_order_id uuid not null,           -- UUIDv7, so its order is the order of arrival
  symbol text collate "C" not null,
  side text not null,
  type text not null,
  tif text not null,
  quantity numeric(38, 18) not null,
  limit_price numeric(38, 18),
  stop_price numeric(38, 18),
  is_triggered boolean not null,
  active_at_ms bigint not null,           -- market clock: from when it is worked
  expire_at_ms bigint,                    -- market clock: end of the session, or the GTD time
  carried numeric(38, 18) not null,       -- what a predecessor had filled
  cum numeric(38, 18) not null,           -- carried and own fills
  trades integer not null,
  -- new, partially_filled, filled, canceled, expired or replaced: only our own statements write it.
  status text not null,
  version integer not null,               -- a change is stored only on the version it was decided on
  replaced_by text collate "C",
  created_at timestamptz not null default now(),
  primary key (account, client_order_id)
);
create index postern_paper_order_open on postern_paper_order (account, symbol, venue_order_id)
  where status in ('new', 'partially_filled');

-- Every report that the venue ever made. Ids are given under a lock that is held until the commit,
-- so their order is the order of commits and nothing appears behind a reader.
create table postern_paper_report (
  id bigint generated always as identity primary key,
  account text collate "C" not null,
  client_order_id text collate "C" not null,
  body jsonb not null,
  at timestamptz not null default now()
);
create index postern_paper_report_fill on postern_paper_report (account, id)
  where body ->> 'type' = 'trade';

grant select, insert on postern_paper_order, postern_paper_report to postern_worker;
grant update (is_triggered, active_at_ms, cum, trades, status, version, replaced_by)
  on postern_paper_order to postern_worker;
