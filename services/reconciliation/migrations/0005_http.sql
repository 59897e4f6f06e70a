CREATE TABLE handed_in_files (
    file_id     uuid PRIMARY KEY,
    client      text NOT NULL,
    sha256      bytea NOT NULL UNIQUE,
    statements  uuid[] NOT NULL,
    content     bytea NOT NULL,
    received_at timestamptz NOT NULL,
    taken_at    timestamptz
);
CREATE INDEX handed_in_files_waiting ON handed_in_files (received_at, file_id) WHERE taken_at IS NULL;
COMMENT ON TABLE handed_in_files IS 'Statement files that came over HTTP and not from the bank, each valid as a whole. Inserted by HTTP as a wish, taken by the statement reader alone.';
COMMENT ON COLUMN handed_in_files.statements IS 'the statements in it, whatever file they came in first';

-- Lists over HTTP go on from where a page ended. Statements are a few a day, breaks the exceptions.
CREATE INDEX statements_newest ON statements (to_date, statement_id);
CREATE INDEX breaks_newest ON breaks (opened_at, break_id);
CREATE INDEX breaks_unresolved ON breaks (opened_at, break_id) WHERE resolved_at IS NULL;
