-- An expected item has the sign of its side; a match names its line, and nothing else does.
ALTER TABLE expected_items
    ADD CONSTRAINT has_the_sign_of_its_side CHECK (sign(amount_minor) = side),
    ADD CONSTRAINT matched_by_some_rule CHECK ((state = 1) = (match_kind <> '')),
    ADD CONSTRAINT numbered CHECK (opened_seq > 0);
ALTER TABLE breaks ADD CONSTRAINT resolved_by_something CHECK ((resolved_at IS NULL) = (resolution = ''));
ALTER TABLE statement_lines ADD CONSTRAINT says_an_amount CHECK (transaction_count >= 0);
ALTER TABLE taken_statements ADD CONSTRAINT position_within_the_statement CHECK (position BETWEEN 0 AND lines);

CREATE TRIGGER stays_what_it_is BEFORE UPDATE ON expected_items FOR EACH ROW
WHEN ((NEW.lane, NEW.payment_id, NEW.side, NEW.amount_minor, NEW.currency, NEW.nostro, NEW.account) IS DISTINCT FROM
      (OLD.lane, OLD.payment_id, OLD.side, OLD.amount_minor, OLD.currency, OLD.nostro, OLD.account)
      OR OLD.state = 2 AND NEW.state <> 2)
EXECUTE FUNCTION break_invariant('what is expected keeps its amount, and once cancelled stays so');
CREATE TRIGGER stays_what_it_is BEFORE UPDATE ON statement_lines FOR EACH ROW
WHEN ((NEW.lane, NEW.statement_id, NEW.line_number, NEW.amount_minor, NEW.currency, NEW.nostro, NEW.booking_date)
      IS DISTINCT FROM
      (OLD.lane, OLD.statement_id, OLD.line_number, OLD.amount_minor, OLD.currency, OLD.nostro, OLD.booking_date)
      OR OLD.state = 3 AND NEW.state <> 3)
EXECUTE FUNCTION break_invariant('a line keeps what the bank said, and once handed over stays so');
CREATE TRIGGER position_goes_on BEFORE UPDATE ON taken_statements FOR EACH ROW
WHEN (NEW.position < OLD.position OR OLD.done_at IS NOT NULL)
EXECUTE FUNCTION break_invariant('a statement is sent line by line, onwards, once');

-- No CHECK: it would judge the change that is to be added before the sum that it makes.
CREATE TRIGGER open_sums_fit_their_counts AFTER INSERT OR UPDATE ON batches FOR EACH ROW
WHEN (NEW.open_debits < 0 OR NEW.open_credits < 0 OR NEW.total_lines < 0
      OR NEW.open_debit_minor > 0 OR NEW.open_credit_minor < 0
      OR (NEW.open_debits = 0) <> (NEW.open_debit_minor = 0)
      OR (NEW.open_credits = 0) <> (NEW.open_credit_minor = 0))
EXECUTE FUNCTION break_invariant('what is open of a batch has a count and a sum that fit');
