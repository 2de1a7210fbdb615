-- Swaps as they were ingested; a swap is known by its wallet and its transaction's signature.
-- Addresses are compared byte by byte, as the code does.
create table postern_trade (
  wallet text collate "C" not null,
  signature text collate "C" not null,
  time timestamptz not null,
  mint_in text not null,
  mint_out text not null,
  amount_in numeric(38, 18) not null,
  amount_out numeric(38, 18) not null,
  usd_in numeric(38, 18) not null,
  usd_out numeric(38, 18) not null,
  fee_usd numeric(38, 18) not null,
  failed boolean not null,
  ingest uuid not null,
  position bigint not null,               -- as uploaded: the order of swaps of one instant
  primary key (wallet, signature)
);
create index postern_trade_time on postern_trade (wallet, time, position);

-- Rows of an upload that is not complete. Unlogged: after a crash its caller sends it again.
create unlogged table postern_trade_staging (
  ingest uuid not null,
  position bigint generated always as identity,
  staged_at timestamptz not null default now(),
  wallet text not null,
  signature text not null,
  time timestamptz not null,
  mint_in text not null,
  mint_out text not null,
  amount_in numeric(38, 18) not null,
  amount_out numeric(38, 18) not null,
  usd_in numeric(38, 18) not null,
  usd_out numeric(38, 18) not null,
  fee_usd numeric(38, 18) not null,
  failed boolean not null
);
create index postern_trade_staging_ingest on postern_trade_staging (ingest);

-- A complete batch. Wallets scored alone later are placed within its bounds.
create table postern_cohort (
  id uuid primary key,
  algorithm_version text not null,
  cost_basis text not null,
  end_date date not null,
  size integer not null,                  -- eligible wallets
  screened integer not null,
  cohort jsonb not null,                  -- with the six bounds and the trials
  job uuid not null,
  created_at timestamptz not null
);
create index postern_cohort_newest on postern_cohort (algorithm_version, cost_basis, created_at);

-- The newest score of a wallet by version and cost basis; older ones are in their jobs' results.
create table postern_score (
  wallet text collate "C" not null,
  algorithm_version text not null,
  cost_basis text not null,
  end_date date not null,
  status text not null,
  trust_score numeric,
  trust_score_scaled numeric,
  cohort_id uuid,
  cohort_size integer,
  sharpe_min numeric,
  sharpe_max numeric,
  roi_percent_min numeric,
  roi_percent_max numeric,
  drawdown_percent_min numeric,
  drawdown_percent_max numeric,
  reasons jsonb not null,
  score jsonb not null,                   -- everything, intermediates included
  job uuid not null,
  scored_at timestamptz not null,
  primary key (wallet, algorithm_version, cost_basis)
);
create index postern_score_rank
  on postern_score (algorithm_version, cost_basis, trust_score_scaled desc, wallet)
  where trust_score is not null;
