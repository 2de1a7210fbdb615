-- Most of what is open rests: it waits at its venue for a price. These indexes hold the few others, and
-- the resting ones by that price, so that a quote costs nothing for orders that it does not reach.
alter table postern_order add column is_unsettled boolean not null generated always as
  (status in ('accepted', 'held', 'pending_new', 'pending_cancel', 'pending_replace')) stored;
create index postern_order_unsettled on postern_order (account, id) where is_unsettled;

create index postern_paper_order_resting on postern_paper_order (symbol, side, limit_price)
  where status in ('new', 'partially_filled') and type = 'limit' and tif in ('day', 'gtc', 'gtd');
create index postern_paper_order_eager on postern_paper_order (symbol)
  where status in ('new', 'partially_filled')
    and not (type = 'limit' and tif in ('day', 'gtc', 'gtd'));
