CREATE TABLE audit (
    audit_seq  bigint PRIMARY KEY CONSTRAINT counts_from_the_first CHECK (audit_seq > 0),
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,
    plan_id    uuid,
    detail     jsonb NOT NULL,
    previous   bytea NOT NULL,
    hash       bytea NOT NULL,
    CONSTRAINT chained_by_hashes CHECK (octet_length(previous) = 32 AND octet_length(hash) = 32)
);
CREATE INDEX audit_by_plan ON audit (plan_id, audit_seq);
COMMENT ON TABLE audit IS 'Who planned, approved and ran what, when, and what came of it; each entry holds the hash of the one before. Written by the operators'' HTTP and by owners of lanes, never changed.';

CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit FOR EACH ROW
EXECUTE FUNCTION break_invariant('entries are never changed');
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('entries are never changed');

CREATE TABLE audit_head (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    audit_seq  bigint NOT NULL,
    hash       bytea NOT NULL
);
INSERT INTO audit_head (audit_seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));
COMMENT ON TABLE audit_head IS 'One row: the last entry, whose lock puts entries in line. Written with each entry.';
