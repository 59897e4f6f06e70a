-- What a lane sent on is told as well: it is not sent on a second time, to be decided anew. Its numbers are of its
-- destination, so that they tell one event from another of the same reference alone.
ALTER TABLE told DROP CONSTRAINT told_kind_check;
ALTER TABLE told ADD CONSTRAINT told_kind_check
    CHECK (kind IN ('opened', 'funded', 'refunded', 'refused', 'forwarded'));
ALTER TABLE told DROP CONSTRAINT told_pkey;
DROP INDEX told_by_reference;
ALTER TABLE told ADD PRIMARY KEY (lane, kind, reference, event_seq);
COMMENT ON COLUMN told.reference IS 'the input: account, currency and name of an opening; account, key, source, amount and currency of a funding; a payment''s id; topic, partition and offset of a refused record; lane and body of a forwarded one';
