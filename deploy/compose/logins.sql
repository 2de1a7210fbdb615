-- Once, when the cluster is made. The roles are those of `postern migrate`, which finds them there: its
-- login need not be able to create any.
\set migrate_password `cat /run/secrets/postgres-migrate-password`
\set login_password `cat /run/secrets/postgres-login-password`
\set rotator_password `cat /run/secrets/postgres-rotator-password`
set log_min_error_statement = panic; -- no password in the server's log

create role postern_gateway;
create role postern_worker;
create role postern_sequencer;
create role postern_rotator;

create role postern_migrate login password :'migrate_password';
alter database postern owner to postern_migrate;

-- Two that take turns, for `postern secrets set-rotation postern/database --kind postgres-role`.
create role postern_a login password :'login_password'
  in role postern_gateway, postern_worker, postern_sequencer, postern_rotator;
create role postern_b nologin
  in role postern_gateway, postern_worker, postern_sequencer, postern_rotator;

-- The one that rotates them: an administrator of both and of what they are granted.
create role postern_turn login createrole password :'rotator_password' in role pg_signal_backend;
grant postern_a, postern_b, postern_gateway, postern_worker, postern_sequencer, postern_rotator
  to postern_turn with admin option;
