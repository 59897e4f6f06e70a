CREATE TABLE expected_items (
    lane          integer NOT NULL,
    payment_id    uuid NOT NULL,
    side          smallint NOT NULL CHECK (side IN (-1, 1)),
    batch_id      uuid NOT NULL,
    amount_minor  bigint NOT NULL,
    currency      text NOT NULL,
    nostro        text NOT NULL,
    account       text NOT NULL,
    end_to_end_id text NOT NULL,
    opened_at     timestamptz NOT NULL,
    opened_seq    bigint NOT NULL,
    state         smallint NOT NULL CHECK (state BETWEEN 0 AND 2),
    settled_on    date,
    statement_id  uuid,
    line_number   integer NOT NULL,
    match_kind    text NOT NULL,
    PRIMARY KEY (lane, payment_id, side),
    CHECK ((state = 1) = (statement_id IS NOT NULL))
) WITH (fillfactor = 50);
-- No index holds a column that changes: an update of state stays within its page (measured: 5 µs against 14).
CREATE INDEX expected_items_by_batch ON expected_items (lane, batch_id);
CREATE INDEX expected_items_by_end_to_end_id ON expected_items (end_to_end_id)
    WHERE end_to_end_id NOT IN ('', 'NOTPROVIDED');
COMMENT ON TABLE expected_items IS 'A movement that our books expect on a statement, and the line that explains it. Written by reconciliation''s lanes.';
COMMENT ON COLUMN expected_items.state IS '0 open, 1 matched, 2 cancelled (the bank rejected the payment)';
COMMENT ON COLUMN expected_items.opened_seq IS 'seq of settlement''s event that opened the item, in the partition of its lane';
COMMENT ON COLUMN expected_items.amount_minor IS 'in the bank''s sign: a debit is negative';

CREATE TABLE batches (
    lane             integer NOT NULL,
    batch_id         uuid NOT NULL,
    nostro           text NOT NULL,
    currency         text NOT NULL,
    opened_at        timestamptz NOT NULL,
    open_debits      bigint NOT NULL,
    open_debit_minor bigint NOT NULL,
    open_credits     bigint NOT NULL,
    open_credit_minor bigint NOT NULL,
    total_lines      integer NOT NULL,
    PRIMARY KEY (lane, batch_id, nostro, currency)
) WITH (fillfactor = 50);
COMMENT ON TABLE batches IS 'What of each batch is expected and not matched yet, kept with its items, so that nobody has to scan them. Written by reconciliation''s lanes.';
COMMENT ON COLUMN batches.total_lines IS 'statement lines that book the batch as one sum';

CREATE TABLE statement_lines (
    lane              integer NOT NULL,
    statement_id      uuid NOT NULL,
    line_number       integer NOT NULL,
    payment_id        uuid NOT NULL,
    batch_id          uuid NOT NULL,
    amount_minor      bigint NOT NULL,
    currency          text NOT NULL,
    nostro            text NOT NULL,
    end_to_end_id     text NOT NULL,
    instruction_id    text NOT NULL,
    bank_reference    text NOT NULL,
    booking_date      date NOT NULL,
    value_date        date NOT NULL,
    transaction_count integer NOT NULL,
    reversal          boolean NOT NULL,
    is_return         boolean NOT NULL,
    reason_code       text NOT NULL,
    information       text NOT NULL,
    received_at       timestamptz NOT NULL,
    found_by          text NOT NULL,
    handed_over_from  integer,
    handed_over_to    integer,
    state             smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
    break_id          uuid,
    PRIMARY KEY (lane, statement_id, line_number),
    CHECK ((state = 3) = (handed_over_to IS NOT NULL)),
    CHECK ((state = 2) = (break_id IS NOT NULL))
);
-- A line is normally inserted explained and never changed, so this index holds the exceptions alone.
CREATE INDEX statement_lines_unexplained ON statement_lines (lane, payment_id, batch_id) WHERE state IN (0, 2);
CREATE INDEX statement_lines_of_batches ON statement_lines (lane, batch_id)
    WHERE payment_id = '00000000-0000-0000-0000-000000000000';
COMMENT ON TABLE statement_lines IS 'Booked lines of the bank''s statements, each in the lane of its reference. Written by reconciliation''s lanes.';
COMMENT ON COLUMN statement_lines.state IS '0 waiting, 1 explained, 2 in a break, 3 handed over to the lane of its payment';

CREATE TABLE breaks (
    lane           integer NOT NULL,
    break_id       uuid NOT NULL,
    about          text NOT NULL CHECK (about IN ('line', 'item', 'statement', 'contradiction')),
    reason         text NOT NULL,
    amount_minor   bigint NOT NULL,
    currency       text NOT NULL,
    nostro         text NOT NULL,
    payment_id     uuid NOT NULL,
    batch_id       uuid NOT NULL,
    statement_id   uuid NOT NULL,
    line_number    integer NOT NULL,
    bank_reference text NOT NULL,
    detail         text NOT NULL,
    opened_at      timestamptz NOT NULL,
    resolved_at    timestamptz,
    resolution     text NOT NULL,
    PRIMARY KEY (lane, break_id)
);
CREATE INDEX breaks_by_payment ON breaks (lane, payment_id);
CREATE INDEX breaks_by_statement ON breaks (lane, statement_id, line_number);
CREATE INDEX breaks_by_batch ON breaks (lane, batch_id);
COMMENT ON TABLE breaks IS 'Differences that nobody has explained yet, and those explained since. Written by reconciliation''s lanes.';
COMMENT ON COLUMN breaks.amount_minor IS 'what the bank shows and our books do not, in the bank''s sign';
COMMENT ON COLUMN breaks.about IS 'line and item weigh on the nostro; statement and contradiction do not';

CREATE TABLE statements (
    lane              integer NOT NULL,
    statement_id      uuid NOT NULL,
    nostro            text NOT NULL,
    currency          text NOT NULL,
    statement_number  text NOT NULL,
    bank_statement_id text NOT NULL,
    opening_minor     bigint NOT NULL,
    closing_minor     bigint NOT NULL,
    lines_sum_minor   bigint NOT NULL,
    lines_count       integer NOT NULL,
    from_date         date NOT NULL,
    to_date           date NOT NULL,
    opened_at         timestamptz NOT NULL,
    corrects          uuid,
    reconciled_at     timestamptz,
    PRIMARY KEY (lane, statement_id)
);
CREATE INDEX statements_by_day ON statements (lane, nostro, currency, to_date);
COMMENT ON TABLE statements IS 'Headers of the bank''s statements, in the lane of their account. Written by reconciliation''s lanes.';
COMMENT ON COLUMN statements.corrects IS 'the statement of the same number that came before; its lines are not taken twice';

CREATE TABLE statement_shares (
    lane           integer NOT NULL,
    statement_id   uuid NOT NULL,
    nostro         text NOT NULL,
    currency       text NOT NULL,
    to_date        date NOT NULL,
    lane_lines     integer NOT NULL,
    lane_sum_minor bigint NOT NULL,
    closed_at      timestamptz NOT NULL,
    PRIMARY KEY (lane, statement_id)
);
CREATE INDEX statement_shares_by_day ON statement_shares (lane, nostro, to_date);
COMMENT ON TABLE statement_shares IS 'What the statement reader sent to each lane of a statement, once it was all sent. Written by reconciliation''s lanes.';

CREATE TABLE control_totals (
    lane            integer NOT NULL,
    topic           text NOT NULL,
    total_partition integer NOT NULL,
    producer        text NOT NULL,
    producer_lane   integer NOT NULL,
    event_type      text NOT NULL,
    currency        text NOT NULL,
    count           bigint NOT NULL,
    amount_minor    bigint NOT NULL,
    last_seq        bigint NOT NULL,
    last_offset     bigint NOT NULL,
    computed_at     timestamptz NOT NULL,
    PRIMARY KEY (lane, topic, total_partition, producer, producer_lane, event_type, currency)
) WITH (fillfactor = 50);
COMMENT ON TABLE control_totals IS 'The latest total of the independent second reader. Written by reconciliation''s lanes.';

CREATE TABLE refused_records (
    lane             integer NOT NULL,
    topic            text NOT NULL,
    source_partition integer NOT NULL,
    source_offset    bigint NOT NULL,
    reason           text NOT NULL,
    refused_at       timestamptz NOT NULL,
    PRIMARY KEY (topic, source_partition, source_offset)
);
COMMENT ON TABLE refused_records IS 'Records on control-totals that could not be read. Written by reconciliation''s lanes.';

CREATE TABLE statement_files (
    lane          integer NOT NULL CHECK (lane = -1),
    file_name     text NOT NULL,
    sha256        bytea NOT NULL,
    found_at      timestamptz NOT NULL,
    problem       text NOT NULL,
    PRIMARY KEY (file_name, sha256)
);
COMMENT ON TABLE statement_files IS 'Statement files found at the bank, each taken once. Written by the statement reader.';

CREATE TABLE taken_statements (
    lane              integer NOT NULL CHECK (lane = -1),
    statement_id      uuid NOT NULL,
    file_name         text NOT NULL,
    sha256            bytea NOT NULL,
    nostro            text NOT NULL,
    statement_number  text NOT NULL,
    bank_statement_id text NOT NULL,
    to_date           date NOT NULL,
    held_back         boolean NOT NULL,
    lines             integer NOT NULL,
    ignored           integer NOT NULL,
    position          integer NOT NULL,
    taken_at          timestamptz NOT NULL,
    done_at           timestamptz,
    PRIMARY KEY (statement_id)
) WITH (fillfactor = 50);
CREATE INDEX taken_statements_by_number ON taken_statements (nostro, statement_number);
COMMENT ON TABLE taken_statements IS 'How far each statement of a file was sent to the lanes. Written by the statement reader.';
COMMENT ON COLUMN taken_statements.position IS 'booked lines sent so far; done_at stands once the lanes were told that all were';
COMMENT ON COLUMN taken_statements.held_back IS 'a correction of a statement that was taken before: its header alone is sent';
