-- Bars as they were ingested. `time` is the end of the interval, when its close is known.
create table postern_bar (
  symbol text collate "C" not null,
  interval_ms bigint not null,            -- 86400000 is a trading day, whatever its length
  time timestamptz not null,
  open numeric(18, 9) not null,
  high numeric(18, 9) not null,
  low numeric(18, 9) not null,
  close numeric(18, 9) not null,
  volume double precision not null,
  ingest uuid not null,
  primary key (symbol, interval_ms, time)
);

-- Rows of an upload that is not complete. Unlogged: after a crash its caller sends it again.
create unlogged table postern_market_staging (
  ingest uuid not null,
  position bigint generated always as identity,
  staged_at timestamptz not null default now(),
  body jsonb not null
);
create index postern_market_staging_ingest on postern_market_staging (ingest, position);

-- What an order is judged by: one row is read for its symbol, nothing is computed then.
create table postern_instrument (
  symbol text collate "C" primary key,
  sector text,
  is_tradable boolean not null default true,
  is_restricted boolean not null default false,
  is_shortable boolean not null default true,
  lot numeric(18, 9) not null default 1,
  quantity_min numeric(18, 9) not null default 1,
  luld_tier smallint not null default 1,
  halted_until timestamptz,
  last_price numeric(18, 9),
  last_time timestamptz,
  quote jsonb,                            -- best bid and offer with its time
  levels jsonb,                           -- the book as it was last sent
  spreads jsonb not null default '[]',    -- of the last quotes, for their median
  statistics jsonb not null default '{}', -- mean volume, realised volatility; by apply-market-data
  luld jsonb,
  applied_to timestamptz,                 -- bars up to here have been applied
  changed_at timestamptz not null default now()
);

-- One row for the live market and one for the replayed one.
create table postern_market (
  clock text primary key check (clock in ('live', 'replay')),
  time timestamptz,                       -- of the newest event; the clock of replay accounts
  index_symbol text,                      -- whose decline trips the market-wide breaker; null: none
  volatility_symbol text,                 -- whose price is VIX, where there is one
  breaker jsonb
);
insert into postern_market (clock, index_symbol, volatility_symbol)
  values ('live', 'SPX', 'VIX'), ('replay', 'SPX', 'VIX');

create table postern_signal (
  symbol text collate "C" not null,
  strategy text not null,
  time timestamptz not null,
  signal jsonb not null,
  primary key (symbol, strategy)
);

grant select, insert, update on postern_bar, postern_instrument to postern_gateway;
grant select, insert, delete on postern_market_staging to postern_gateway;
grant select, update on postern_market to postern_gateway;
grant select on postern_signal, postern_bar to postern_gateway, postern_worker;
grant select, insert, update on postern_instrument, postern_signal to postern_worker;
grant select, update on postern_market to postern_worker;
