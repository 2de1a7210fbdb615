-- Whether bars of a symbol were stored or corrected since its figures were reckoned: a quote changes
-- nothing of them.
alter table postern_instrument add column bars_changed boolean not null default true;
