-- Who trades what, and what is left of it. Every decision about an order locks its account's row.
create table postern_account (
  id text collate "C" primary key,
  venue text not null,
  clock text not null references postern_market (clock),
  starting_cash numeric(38, 18) not null,
  cash numeric(38, 18) not null,
  reserved numeric(38, 18) not null default 0,  -- buying power that open orders hold
  open_orders integer not null default 0,
  is_short_allowed boolean not null default false,
  notional_window jsonb not null default '{}',  -- notional entered, by second
  paper jsonb not null default '{}',            -- how the paper venue treats it
  drawdown jsonb,                               -- state of the portfolio-loss breaker
  fills_cursor text,                            -- up to here the venue's fills are known
  reconciled_at timestamptz,
  created_at timestamptz not null default now()
);

create table postern_account_trader (
  account text collate "C" not null references postern_account (id),
  issuer text not null,
  subject text not null,
  primary key (issuer, subject, account)
);

-- ACTIVE where there is no row. HALTED is the kill switch.
create table postern_trading_state (
  scope text not null check (scope in ('global', 'account', 'strategy', 'symbol')),
  key text not null,                            -- empty for global
  state text not null check (state in ('ACTIVE', 'REDUCING', 'HALTED')),
  reason text not null,
  until timestamptz,
  set_by text not null,
  set_at timestamptz not null default now(),
  rearm_by text,                                -- the first of the two who must agree
  primary key (scope, key)
);

-- Limits that differ from the defaults; the strictest of those that apply counts.
create table postern_limit (
  scope text not null check (scope in ('account', 'strategy', 'symbol', 'firm', 'sector')),
  key text not null,
  name text not null,
  value numeric(38, 18) not null,
  changed_by text not null,
  changed_at timestamptz not null default now(),
  primary key (scope, key, name)
);
create table postern_limit_change (
  id bigint generated always as identity primary key,
  scope text not null,
  key text not null,
  name text not null,
  previous numeric(38, 18),
  value numeric(38, 18),                        -- null: back to the default
  changed_by text not null,
  changed_at timestamptz not null default now()
);

-- The fold of an order's events, kept beside them so that nobody has to fold to read.
create table postern_order (
  id uuid primary key,
  account text collate "C" not null,
  client_order_id text collate "C" not null,
  symbol text collate "C" not null,
  side text not null,
  type text not null,
  time_in_force text not null,
  quantity numeric(18, 9) not null,
  requested numeric(18, 9) not null,            -- before sizing
  limit_price numeric(18, 9),
  stop_price numeric(18, 9),
  expire_at timestamptz,
  strategy text,
  reduce_only boolean not null,
  status text not null,
  previous text,
  is_open boolean not null,
  seq integer not null,
  cum_quantity numeric(18, 9) not null default 0,
  cum_money numeric(38, 18) not null default 0,
  venue_order_id text,
  reject_code text,
  reject_details jsonb not null default '[]',
  warnings jsonb not null default '[]',
  replaces uuid,
  replaced_by uuid,
  replacement jsonb,
  late_fill boolean not null default false,
  reserved numeric(38, 18) not null default 0,
  twin bigint not null,                         -- hash of what makes two orders of an account alike
  attempts integer not null default 0,          -- intents
  issuer text not null,
  subject text not null,
  request_id text not null,
  traceparent text,
  received_at timestamptz not null,
  updated_at timestamptz not null
) with (fillfactor = 60);               -- an order is written three times within a second
create unique index postern_order_client on postern_order (client_order_id, account);
create index postern_order_account on postern_order (account, id);
create index postern_order_open on postern_order (account, symbol, side, limit_price)
  where is_open;
create index postern_order_twin on postern_order (twin, received_at);

create table postern_order_event (
  order_id uuid not null,
  seq integer not null,
  type text not null,
  event jsonb not null,
  at timestamptz not null,
  primary key (order_id, seq)
);

-- What a venue told us that cannot be: kept for a person, never thrown away.
create table postern_order_quarantine (
  id bigint generated always as identity primary key,
  account text not null,
  order_id uuid,
  code text not null,
  report jsonb not null,
  at timestamptz not null,
  resolved_at timestamptz                       -- taken after all, once what came before it was here
);
create index postern_order_quarantine_open on postern_order_quarantine (order_id)
  where resolved_at is null;

create table postern_fill (
  venue text not null,
  trade_id text collate "C" not null,
  order_id uuid not null,
  account text collate "C" not null,
  symbol text collate "C" not null,
  side text not null,
  quantity numeric(18, 9) not null,             -- as it stands after corrections; 0: busted
  price numeric(18, 9) not null,
  fee numeric(38, 18) not null,
  at timestamptz not null,                      -- the venue's time
  position bigint generated always as identity,
  strategy text,
  primary key (venue, trade_id)
);
create index postern_fill_account on postern_fill (account, position);
create index postern_fill_order on postern_fill (order_id);

create table postern_position (
  account text collate "C" not null,
  symbol text collate "C" not null,
  quantity numeric(18, 9) not null default 0,
  cost numeric(38, 18) not null default 0,
  realised numeric(38, 18) not null default 0,
  fees numeric(38, 18) not null default 0,
  open_buy numeric(18, 9) not null default 0,
  open_sell numeric(18, 9) not null default 0,
  updated_at timestamptz not null,
  primary key (account, symbol)
);

-- Each trading day's end as the fills left it, so that a range reads its days and no more.
create table postern_position_day (
  account text collate "C" not null,
  symbol text collate "C" not null,
  day date not null,
  quantity numeric(18, 9) not null,
  cost numeric(38, 18) not null,
  realised numeric(38, 18) not null,            -- since the account began, as in the position
  fees numeric(38, 18) not null,
  primary key (account, symbol, day)
);

grant select, insert, update on postern_account, postern_trading_state, postern_order,
  postern_position to postern_gateway, postern_worker;
grant select, insert, delete on postern_account_trader to postern_gateway;
grant select on postern_account_trader to postern_worker;
grant select, insert, update, delete on postern_limit to postern_gateway;
grant select, insert on postern_limit_change to postern_gateway;
grant select on postern_limit to postern_worker;
grant delete on postern_trading_state to postern_gateway;
grant select, insert on postern_order_event, postern_order_quarantine
  to postern_gateway, postern_worker;
grant update (resolved_at) on postern_order_quarantine to postern_worker;
grant select, insert, update on postern_fill, postern_position_day to postern_worker;
grant select on postern_fill, postern_position_day to postern_gateway;
