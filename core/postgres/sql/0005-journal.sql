-- The newest start of the processes of a name: names the start in each of its records.
create table postern_replica (
  name text primary key,
  epoch bigint not null
);
grant select, insert, update on postern_replica
  to postern_gateway, postern_worker, postern_sequencer, postern_rotator;

-- Ends the transaction of an action whose records were taken and are not there: a trigger, a rule or
-- a policy that swallows rows reports success.
create function postern_recorded(written bigint, expected bigint) returns boolean
  language plpgsql as $$
begin
  if written is distinct from expected then
    raise exception 'of % audit records % were stored', expected, written using errcode = 'PA001';
  end if;
  return true;
end
$$;
