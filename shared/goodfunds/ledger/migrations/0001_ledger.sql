CREATE TABLE postings (
    lane           integer NOT NULL,
    entry_id       uuid NOT NULL,
    debit_account  text NOT NULL,
    credit_account text NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL,
    kind           text NOT NULL,
    posted_at      timestamptz NOT NULL,
    PRIMARY KEY (entry_id, kind),
    CHECK (debit_account <> credit_account)
);
COMMENT ON TABLE postings IS 'Append-only: a row a movement, debit and credit of one amount. Written by the owner of the lane, with the state it belongs to.';
COMMENT ON COLUMN postings.entry_id IS 'the payment, receipt or adjustment; with kind its only key, so that nothing is posted twice';
COMMENT ON COLUMN postings.amount_minor IS 'minor units of the currency';

CREATE TABLE balances (
    lane          integer NOT NULL,
    account       text NOT NULL,
    currency      text NOT NULL,
    balance_minor bigint NOT NULL,
    PRIMARY KEY (lane, account, currency)
) WITH (fillfactor = 50);
COMMENT ON TABLE balances IS 'Credits minus debits of the postings, by lane; an account without a row holds zero. Written by the owner of the lane together with the postings.';

CREATE FUNCTION postings_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'postings are append-only: correct a posting with another one';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION postings_are_append_only();
