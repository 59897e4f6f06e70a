CREATE TABLE told (
    lane        integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('matched', 'owner', 'opened', 'resolved', 'reconciled', 'closed')),
    id          uuid NOT NULL,
    number      integer NOT NULL,
    event_seq   bigint NOT NULL,
    destination integer NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (lane, kind, id, number)
);
COMMENT ON TABLE told IS 'After a restore: what reconciliation told before it, until the lane has read again all that it had read then. What it says stands, and is not told twice. Written by the owner of the lane.';
COMMENT ON COLUMN told.id IS 'payment (matched), statement (owner, reconciled, closed) or break (opened, resolved)';
COMMENT ON COLUMN told.number IS 'side of the payment (matched), number of the line (owner), lane that was told (closed)';
COMMENT ON COLUMN told.event_seq IS 'seq of the event that said it last; 0 of a break that was told of before the backup, -1 of one that nobody was ever told of';
COMMENT ON COLUMN told.destination IS 'partition of the event: of a line handed over the lane that has it';

COMMENT ON COLUMN taken_statements.file_name IS 'empty of a statement that was adopted after a restore: its file was not read in this life';
