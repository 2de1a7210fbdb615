-- The upload that last stored or corrected bars of a symbol: while it is the same, so is every page of
-- them. Not a count, which a restored database would give out a second time.
alter table postern_instrument add column bars_ingest uuid;
