CREATE TABLE told (
    lane             integer NOT NULL,
    event_seq        bigint NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('opened', 'funded', 'refunded', 'refused')),
    reference        text NOT NULL,
    credited_account text NOT NULL,
    reason_code      text NOT NULL,
    reason           text NOT NULL,
    PRIMARY KEY (lane, event_seq)
);
CREATE INDEX told_by_reference ON told (lane, kind, reference);
COMMENT ON TABLE told IS 'After a restore: events that ingestion told before it, and whose input it has yet to handle again. What they say stands, and is not told twice. Written by the owner of the lane.';
COMMENT ON COLUMN told.reference IS 'the input: account, currency and name of an opening; account, key, source, amount and currency of a funding; a payment''s id; topic, partition and offset of a refused record';
COMMENT ON COLUMN payments.source_offset IS 'offset of its instruction on payment-instructions in this lane; -1 of a payment that was adopted after a restore';
