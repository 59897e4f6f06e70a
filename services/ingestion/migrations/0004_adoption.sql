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

ALTER TABLE payments
    DROP CONSTRAINT numbered,
    ADD CONSTRAINT numbered CHECK (source_offset >= -1 AND event_seq > 0);

-- Payments are adopted before the funds that they were paid with: until those have come again, their lane may owe.
CREATE FUNCTION break_if_overdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM told WHERE lane = NEW.lane) THEN
        RAISE EXCEPTION '%: nobody is overdrawn', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
                  SCHEMA = TG_TABLE_SCHEMA, DETAIL = format('%s %s', NEW.account, NEW.balance_minor);
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE balances DROP CONSTRAINT nobody_is_overdrawn;
CREATE TRIGGER nobody_is_overdrawn BEFORE INSERT OR UPDATE ON balances FOR EACH ROW
WHEN (NEW.balance_minor < 0 AND NEW.account NOT LIKE 'funding:%' AND NEW.account NOT LIKE 'transit-in:%')
EXECUTE FUNCTION break_if_overdrawn();
