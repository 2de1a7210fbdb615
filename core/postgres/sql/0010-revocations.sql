-- A rotation of what is revoked waits for nobody; another one may wait before it retires.
alter table postern_secret_rotation
  add column is_urgent boolean not null default false,
  add column retire_after timestamptz;
