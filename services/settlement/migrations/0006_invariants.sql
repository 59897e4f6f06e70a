-- What settlement takes out of transit ingestion has put in: it never gives back more than it took.
ALTER TABLE balances ADD CONSTRAINT transit_is_taken_first CHECK (
    balance_minor <= 0 OR account NOT LIKE 'transit-out:%');

-- A batch: open → sealed, then submitted or refused or both; nothing of it comes undone.
ALTER TABLE batches
    ADD CONSTRAINT sealed_before_it_goes_out CHECK (
        sealed_at IS NOT NULL OR submitted_at IS NULL AND refused_at IS NULL),
    ADD CONSTRAINT sealed_with_its_totals CHECK (
        (sealed_at IS NULL) = (amount_minor IS NULL) AND coalesce(payments_count, 0) >= 0
        AND coalesce(payments_count > 0, false) = coalesce(amount_minor > 0, false)
        AND coalesce(payments_count > 0, false) = (first_offset IS NOT NULL)
        AND (first_offset IS NULL) = (last_offset IS NULL) AND coalesce(first_offset <= last_offset, true)),
    ADD CONSTRAINT submitted_under_a_message_id CHECK ((submitted_at IS NULL) = (message_id IS NULL)),
    ADD CONSTRAINT refused_for_a_reason CHECK ((refused_at IS NULL) = (refusal IS NULL)),
    ADD CONSTRAINT counts_from_one CHECK (sequence > 0);
CREATE TRIGGER states_go_on BEFORE UPDATE ON batches FOR EACH ROW
WHEN ((NEW.batch_id, NEW.lane, NEW.rail, NEW.nostro, NEW.currency, NEW.requested_date, NEW.sequence) IS DISTINCT FROM
      (OLD.batch_id, OLD.lane, OLD.rail, OLD.nostro, OLD.currency, OLD.requested_date, OLD.sequence)
      OR OLD.sealed_at IS NOT NULL AND
         (NEW.sealed_at, NEW.payments_count, NEW.amount_minor, NEW.first_offset, NEW.last_offset) IS DISTINCT FROM
         (OLD.sealed_at, OLD.payments_count, OLD.amount_minor, OLD.first_offset, OLD.last_offset)
      OR OLD.submitted_at IS NOT NULL AND
         (NEW.submitted_at, NEW.message_id) IS DISTINCT FROM (OLD.submitted_at, OLD.message_id)
      OR OLD.refused_at IS NOT NULL AND (NEW.refused_at, NEW.refusal) IS DISTINCT FROM (OLD.refused_at, OLD.refusal)
      OR OLD.refused_at IS NOT NULL AND OLD.submitted_at IS NULL AND NEW.submitted_at IS NOT NULL)
EXECUTE FUNCTION break_invariant('a batch is sealed once and its states go on');

-- Set-based, once a statement: a member of a batch that is sealed would be in no file.
CREATE FUNCTION batches_are_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed record;
BEGIN
    SELECT n.batch_id, b.sealed_at INTO closed
    FROM (SELECT DISTINCT batch_id FROM added) n LEFT JOIN batches b USING (batch_id)
    WHERE b.batch_id IS NULL OR b.sealed_at IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: members join and leave a batch that is there and open', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
                  DETAIL = format('batch %s, sealed at %s', closed.batch_id, closed.sealed_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER joins_an_open_batch AFTER INSERT ON payments REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION batches_are_open();
CREATE TRIGGER joins_an_open_batch AFTER INSERT ON batch_memberships REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION batches_are_open();
CREATE TRIGGER leaves_an_open_batch AFTER INSERT ON batch_withdrawals REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION batches_are_open();
ALTER TABLE batch_memberships
    ADD CONSTRAINT of_a_payment FOREIGN KEY (payment_id) REFERENCES payments,
    ADD CONSTRAINT places_count_up CHECK (place > 0),
    ADD CONSTRAINT into_another_batch CHECK (batch_id <> from_batch);
ALTER TABLE batch_withdrawals ADD CONSTRAINT of_a_payment FOREIGN KEY (payment_id) REFERENCES payments;

-- A payment: one outcome. Rejected and debited at once would give its money away twice.
CREATE FUNCTION outcomes_exclude() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE twice uuid;
BEGIN
    IF TG_TABLE_NAME = 'settlements' THEN
        SELECT payment_id INTO twice FROM added JOIN rejections USING (payment_id) LIMIT 1;
    ELSE
        SELECT payment_id INTO twice FROM added JOIN settlements USING (payment_id) LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION '%: a payment is rejected or debited, never both', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
                  DETAIL = format('payment %s', twice);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER one_outcome AFTER INSERT ON settlements REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION outcomes_exclude();
CREATE TRIGGER one_outcome AFTER INSERT ON rejections REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION outcomes_exclude();
ALTER TABLE settlements ADD CONSTRAINT settles_an_amount CHECK (amount_minor > 0 AND event_seq > 0);
ALTER TABLE rejections
    ADD CONSTRAINT of_a_payment FOREIGN KEY (payment_id) REFERENCES payments,
    ADD CONSTRAINT rejects_an_amount CHECK (amount_minor > 0 AND event_seq > 0);
ALTER TABLE returns
    ADD CONSTRAINT after_its_settlement FOREIGN KEY (payment_id) REFERENCES settlements,
    ADD CONSTRAINT returns_an_amount CHECK (
        amount_minor > 0 AND event_seq > 0 AND charges_minor >= 0 AND charges_minor < amount_minor);
ALTER TABLE payments ADD CONSTRAINT numbered CHECK (accepted_seq > 0 AND accepted_offset >= 0);

CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON payments FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('what was accepted is never changed');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('an outcome is never changed');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON rejections FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('an outcome is never changed');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON returns FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('an outcome is never changed');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON contradictions FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('what a bank contradicted is never changed');

-- A file: claimed with its hash, carrying sealed batches; its attempts follow each other.
ALTER TABLE bank_files
    ADD CONSTRAINT carries_payments CHECK (payments_count > 0 AND amount_minor > 0),
    ADD CONSTRAINT refused_for_a_reason CHECK ((refused_at IS NULL) = (refusal IS NULL));
CREATE TRIGGER same_bytes_for_ever BEFORE UPDATE ON bank_files FOR EACH ROW
WHEN ((NEW.file_id, NEW.rail, NEW.nostro, NEW.currency, NEW.requested_date, NEW.message_id, NEW.file_name,
       NEW.created_at, NEW.sha256, NEW.payments_count, NEW.amount_minor) IS DISTINCT FROM
      (OLD.file_id, OLD.rail, OLD.nostro, OLD.currency, OLD.requested_date, OLD.message_id, OLD.file_name,
       OLD.created_at, OLD.sha256, OLD.payments_count, OLD.amount_minor)
      OR OLD.submitted_at IS NOT NULL AND NEW.submitted_at IS DISTINCT FROM OLD.submitted_at
      OR OLD.refused_at IS NOT NULL AND (NEW.refused_at, NEW.refusal) IS DISTINCT FROM (OLD.refused_at, OLD.refusal))
EXECUTE FUNCTION break_invariant('a file is sent again as it was claimed, and its states go on');

CREATE FUNCTION carried_batch_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM batches WHERE batch_id = NEW.batch_id AND lane = NEW.lane AND sealed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'bank_file_batches: a file carries sealed batches alone'
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
                  DETAIL = format('batch %s', NEW.batch_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER carries_sealed_batches BEFORE INSERT ON bank_file_batches FOR EACH ROW
EXECUTE FUNCTION carried_batch_is_sealed();
CREATE TRIGGER in_one_file_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_file_batches FOR EACH STATEMENT
EXECUTE FUNCTION break_invariant('a batch is in one file, for ever');

ALTER TABLE attempts
    ADD CONSTRAINT delivers_after_its_mark CHECK (
        state NOT IN ('delivering', 'submitted', 'unknown') OR delivering_at IS NOT NULL),
    ADD CONSTRAINT counts_from_one CHECK (attempt > 0);
CREATE TRIGGER states_go_on BEFORE UPDATE ON attempts FOR EACH ROW
WHEN (OLD.delivering_at IS NOT NULL AND NEW.delivering_at IS DISTINCT FROM OLD.delivering_at
      OR OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
         ('sending', 'delivering'), ('sending', 'not_sent'), ('delivering', 'submitted'), ('delivering', 'unknown'),
         ('delivering', 'not_sent'), ('unknown', 'submitted'), ('unknown', 'not_sent'), ('not_sent', 'submitted')))
EXECUTE FUNCTION break_invariant('an attempt that may have delivered is never one that cannot have');
CREATE FUNCTION attempts_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt <> (SELECT coalesce(max(attempt), 0) + 1 FROM attempts WHERE file_id = NEW.file_id)
       OR EXISTS (SELECT FROM attempts WHERE file_id = NEW.file_id AND state IN ('sending', 'delivering', 'submitted'))
       OR EXISTS (SELECT FROM bank_files
                  WHERE file_id = NEW.file_id AND (submitted_at IS NOT NULL OR refused_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'attempts: one at a time, numbered from 1, none of a file whose end is known'
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
                  DETAIL = format('file %s, attempt %s', NEW.file_id, NEW.attempt);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_at_a_time BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_follow();
