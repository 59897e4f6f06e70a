-- Raised in the class of broken constraints: what tries it stops its lane.
CREATE OR REPLACE FUNCTION postings_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'postings are append-only: correct a posting with another one'
        USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME, DETAIL = TG_OP;
END $$;
ALTER TABLE postings
    ADD CONSTRAINT postings_name_accounts CHECK (debit_account <> '' AND credit_account <> '' AND kind <> '');
