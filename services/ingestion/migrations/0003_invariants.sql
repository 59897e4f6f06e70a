-- A customer's account has no colon in its name, the house's own have. Money in transit is the customers' until
-- it is refunded, and unapplied money is owed: of these no lane can hold less than nothing.
ALTER TABLE balances ADD CONSTRAINT nobody_is_overdrawn CHECK (
    balance_minor >= 0 OR account LIKE 'funding:%' OR account LIKE 'transit-in:%');

ALTER TABLE payments
    ADD CONSTRAINT accepted_has_an_amount CHECK (state <> 'accepted' OR amount_minor > 0),
    ADD CONSTRAINT rejected_has_a_reason CHECK ((state = 'rejected') = (reason_code <> '')),
    ADD CONSTRAINT numbered CHECK (source_offset >= 0 AND event_seq > 0);
ALTER TABLE refunds
    ADD CONSTRAINT refunds_a_payment FOREIGN KEY (payment_id) REFERENCES payments,
    ADD CONSTRAINT numbered CHECK (source_offset >= 0 AND event_seq > 0 AND source_seq > 0);
ALTER TABLE payment_files
    ADD CONSTRAINT position_within_the_file CHECK (position BETWEEN 0 AND items),
    ADD CONSTRAINT finished_at_its_end CHECK ((finished_at IS NOT NULL) = (position = items));

CREATE TRIGGER decided_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON payments FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('what was decided of a payment is never changed');
CREATE TRIGGER refunded_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('a refund is never changed');
CREATE TRIGGER position_goes_on BEFORE UPDATE ON payment_files FOR EACH ROW
WHEN (NEW.position < OLD.position OR OLD.finished_at IS NOT NULL
      OR (NEW.sha256, NEW.items, NEW.client, NEW.message_id) IS DISTINCT FROM
         (OLD.sha256, OLD.items, OLD.client, OLD.message_id))
EXECUTE FUNCTION break_invariant('a file is published item by item, onwards, once');
