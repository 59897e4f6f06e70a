CREATE TABLE restores (
    incarnation     text PRIMARY KEY,
    folders_read_at timestamptz NOT NULL,
    asked_to        uuid,
    released_at     timestamptz
);
COMMENT ON TABLE restores IS 'A row a restore, once the bank''s folders were read for what had gone out since the backup. Nothing goes out until it is released. Written by the bank gateway.';
COMMENT ON COLUMN restores.asked_to IS 'The bank was asked for the payments up to this one, in the order of their ids.';

CREATE TABLE found_files (
    message_id     text PRIMARY KEY,
    file_name      text NOT NULL,
    file_id        uuid,
    rail           text,
    nostro         text,
    currency       text,
    requested_date date,
    created_at     timestamptz,
    sha256         bytea,
    payments_count bigint,
    amount_minor   bigint,
    adopted_at     timestamptz,
    CONSTRAINT found_whole CHECK (num_nulls(file_id, rail, nostro, currency, requested_date, created_at, sha256,
                                            payments_count, amount_minor) IN (0, 9)),
    CONSTRAINT adopted_once_found CHECK (adopted_at IS NULL OR sha256 IS NOT NULL)
);
COMMENT ON TABLE found_files IS 'After a restore: files that went out since the backup, as its events tell, and as they lie in the bank''s folders. Written by the bank gateway.';
COMMENT ON COLUMN found_files.sha256 IS 'null, with what else the content says, while only an event tells of the file';
COMMENT ON COLUMN found_files.adopted_at IS 'when it became a row of bank_files: all its payments are in the batches that it carries';

CREATE TABLE found_batches (
    batch_id       uuid PRIMARY KEY,
    message_id     text NOT NULL,
    lane           integer NOT NULL,
    sequence       integer NOT NULL,
    payments_count bigint NOT NULL,
    amount_minor   bigint NOT NULL
);
CREATE INDEX found_batches_by_lane ON found_batches (lane);
COMMENT ON TABLE found_batches IS 'After a restore: the batches of found files. Nobody else joins them; each is sealed when all its payments have come again. Written by the bank gateway.';

CREATE TABLE found_payments (
    payment_id uuid NOT NULL,
    batch_id   uuid NOT NULL,
    PRIMARY KEY (payment_id, batch_id)
);
COMMENT ON TABLE found_payments IS 'After a restore: the payments of found batches. Written by the bank gateway.';

CREATE TABLE told (
    lane       integer NOT NULL,
    event_seq  bigint NOT NULL,
    kind       text NOT NULL,
    payment_id uuid NOT NULL,
    reference  text NOT NULL,
    PRIMARY KEY (lane, event_seq)
);
CREATE INDEX told_by_payment ON told (payment_id, lane);
COMMENT ON TABLE told IS 'After a restore: events on settlement-notifications that the lane told before it, and whose input it has yet to handle again: they are not told twice. Written by the owner of the lane.';
COMMENT ON COLUMN told.reference IS 'what tells events of one kind and payment apart: the batch of a submission or delay, the content of a contradiction';

ALTER TABLE bank_files ADD COLUMN found_at timestamptz;
COMMENT ON COLUMN bank_files.found_at IS 'Found at the bank after a restore: how often it was delivered is not known.';
