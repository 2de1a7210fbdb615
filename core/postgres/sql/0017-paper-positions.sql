-- What accounts hold at the paper venue, moved by its own fills: the fold of all orders of an account grew
-- with its history, and every account is reconciled once a minute. Who writes the book holds its lock, so
-- that nobody waits here for somebody who waits for him. Triggers, because workers of the version before
-- this one write fills too until the last of them has gone.
create table postern_paper_position (
  account text collate "C" not null,
  symbol text collate "C" not null,
  quantity numeric(38, 18) not null,      -- below 0: short
  primary key (account, symbol)
) with (fillfactor = 50);                 -- moved with every fill
grant select, insert, update on postern_paper_position to postern_worker;

create function postern_paper_filled() returns trigger language plpgsql as $$
declare
  filled numeric := new.cum - case tg_op when 'INSERT' then new.carried else old.cum end;
begin
  insert into postern_paper_position as p (account, symbol, quantity)
  values (new.account, new.symbol, case new.side when 'buy' then filled else -filled end)
  on conflict (account, symbol) do update set quantity = p.quantity + excluded.quantity;
  return null;
end $$;
create trigger postern_paper_order_placed after insert on postern_paper_order
  for each row when (new.cum <> new.carried) execute function postern_paper_filled();
create trigger postern_paper_order_filled after update of cum on postern_paper_order
  for each row when (new.cum <> old.cum) execute function postern_paper_filled();

-- Nobody writes orders between the triggers, which lock them, and the end of this.
insert into postern_paper_position (account, symbol, quantity)
select account, symbol, sum(case side when 'buy' then cum - carried else carried - cum end)
from postern_paper_order where cum > carried group by account, symbol;
