CREATE TABLE accounts (
    account   text PRIMARY KEY,
    lane      integer NOT NULL,
    currency  text NOT NULL,
    name      text NOT NULL,
    state     text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'blocked', 'closed')),
    opened_at timestamptz NOT NULL
);
COMMENT ON TABLE accounts IS 'Customers'' accounts. Written by the owner of the lane.';

CREATE TABLE account_requests (
    client          text NOT NULL,
    idempotency_key text NOT NULL,
    lane            integer NOT NULL,
    digest          bytea NOT NULL,
    decided_at      timestamptz NOT NULL,
    PRIMARY KEY (client, idempotency_key)
);
COMMENT ON TABLE account_requests IS 'Keys of wishes to open or fund accounts that were granted. Written by the owner of the lane.';

CREATE TABLE payments (
    payment_id      uuid PRIMARY KEY,
    lane            integer NOT NULL,
    client          text NOT NULL,
    idempotency_key text NOT NULL,
    digest          bytea NOT NULL,
    debtor_account  text NOT NULL,
    amount_minor    bigint NOT NULL,
    currency        text NOT NULL,
    rail            text NOT NULL,
    state           text NOT NULL CHECK (state IN ('accepted', 'rejected')),
    reason_code     text NOT NULL,
    reason          text NOT NULL,
    end_to_end_id   text NOT NULL,
    uetr            text NOT NULL,
    source_offset   bigint NOT NULL,
    event_seq       bigint NOT NULL,
    decided_at      timestamptz NOT NULL,
    UNIQUE (client, idempotency_key)
);
CREATE INDEX payments_by_end_to_end_id ON payments (end_to_end_id) WHERE end_to_end_id <> '';
CREATE INDEX payments_by_uetr ON payments (uetr) WHERE uetr <> '';
COMMENT ON TABLE payments IS 'Each payment and what was decided of it, once and for ever: rows are never updated. Written by the owner of the lane.';
COMMENT ON COLUMN payments.event_seq IS 'seq of its PaymentAccepted or PaymentRejected on payments in this lane';
COMMENT ON COLUMN payments.source_offset IS 'offset of its instruction on payment-instructions in this lane';

CREATE TABLE refunds (
    payment_id       uuid PRIMARY KEY,
    lane             integer NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
    currency         text NOT NULL,
    cause            text NOT NULL CHECK (cause IN ('rejected', 'returned')),
    credited_account text NOT NULL,
    reason_code      text NOT NULL,
    source_seq       bigint NOT NULL,
    source_offset    bigint NOT NULL,
    event_seq        bigint NOT NULL,
    refunded_at      timestamptz NOT NULL
);
COMMENT ON TABLE refunds IS 'Payments whose money came back to the customer, once each and in full. Written by the owner of the lane.';
COMMENT ON COLUMN refunds.source_seq IS 'seq of the rejection or return among settlement''s events to this lane';

CREATE TABLE refused_records (
    topic         text NOT NULL,
    lane          integer NOT NULL,
    source_offset bigint NOT NULL,
    reason_code   text NOT NULL,
    reason        text NOT NULL,
    size          integer NOT NULL,
    excerpt       bytea NOT NULL,
    refused_at    timestamptz NOT NULL,
    PRIMARY KEY (topic, lane, source_offset)
);
COMMENT ON TABLE refused_records IS 'Records on the clients'' topic that are no payment: unreadable, invalid, or a key used again with another body. Written by the owner of the lane.';

CREATE TABLE payment_files (
    file_id      uuid PRIMARY KEY,
    client       text NOT NULL,
    message_id   text NOT NULL,
    sha256       bytea NOT NULL,
    format       text NOT NULL,
    items        integer NOT NULL,
    sums_minor   jsonb NOT NULL,
    content      bytea NOT NULL,
    position     integer NOT NULL DEFAULT 0,
    received_at  timestamptz NOT NULL,
    finished_at  timestamptz,
    UNIQUE (client, message_id)
) WITH (fillfactor = 50);
CREATE INDEX payment_files_waiting ON payment_files (received_at) WHERE finished_at IS NULL;
COMMENT ON TABLE payment_files IS 'Files of payments, each valid as a whole. Inserted by HTTP as a wish, its position moved by the file intake alone.';
COMMENT ON COLUMN payment_files.position IS 'items of it that stand on payment-instructions';
