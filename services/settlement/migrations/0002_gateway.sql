CREATE TABLE bank_files (
    file_id        uuid PRIMARY KEY,
    rail           text NOT NULL,
    nostro         text NOT NULL,
    currency       text NOT NULL,
    requested_date date NOT NULL,
    message_id     text NOT NULL UNIQUE,
    file_name      text NOT NULL UNIQUE,
    created_at     timestamptz NOT NULL,
    sha256         bytea NOT NULL,
    payments_count bigint NOT NULL,
    amount_minor   bigint NOT NULL,
    claimed_at     timestamptz NOT NULL,
    submitted_at   timestamptz,
    refused_at     timestamptz,
    refusal        text
);
CREATE INDEX bank_files_undelivered ON bank_files (claimed_at) WHERE submitted_at IS NULL AND refused_at IS NULL;
COMMENT ON TABLE bank_files IS 'Files for a bank, each claimed before it is sent; its bytes can be built again from the payments and must have this hash. Written by the bank gateway.';
COMMENT ON COLUMN bank_files.created_at IS 'Stands in the file, so that building it again gives the same bytes.';

CREATE TABLE bank_file_batches (
    batch_id uuid PRIMARY KEY,
    file_id  uuid NOT NULL REFERENCES bank_files,
    lane     integer NOT NULL
);
CREATE INDEX bank_file_batches_by_file ON bank_file_batches (file_id);
COMMENT ON TABLE bank_file_batches IS 'Which file carries a batch; a batch is in one file, for ever. Written by the bank gateway.';

CREATE TABLE attempts (
    file_id    uuid NOT NULL REFERENCES bank_files,
    attempt    integer NOT NULL,
    state      text NOT NULL CHECK (state IN ('sending', 'delivering', 'submitted', 'not_sent', 'unknown')),
    started_at timestamptz NOT NULL,
    delivering_at timestamptz,
    ended_at   timestamptz,
    detail     text NOT NULL DEFAULT '',
    PRIMARY KEY (file_id, attempt)
);
COMMENT ON TABLE attempts IS 'Attempts to send a file. Written by the bank gateway, before the call and after it.';
COMMENT ON COLUMN attempts.delivering_at IS 'Committed before the bank is asked to rename the upload: an attempt without it cannot have delivered.';

CREATE TABLE bank_messages (
    name        text PRIMARY KEY,
    sha256      bytea NOT NULL,
    kind        text NOT NULL,
    taken_at    timestamptz NOT NULL,
    position    bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    outcome     text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);
CREATE INDEX bank_messages_by_content ON bank_messages (sha256);
COMMENT ON TABLE bank_messages IS 'The bank''s answers, each taken once by name and by content. Written by the bank gateway.';
COMMENT ON COLUMN bank_messages.position IS 'Events of this message that were emitted already.';
