-- A file is read again where the bank's listing shows another: banks write over names, and finish what we began to read.
ALTER TABLE statement_files
    ADD COLUMN listed_as text NOT NULL DEFAULT '',
    ADD COLUMN content bytea NOT NULL DEFAULT '';
COMMENT ON TABLE statement_files IS 'Statement files found at the bank, each content of a name taken once, or refused with its problem. Written by the statement reader.';
COMMENT ON COLUMN statement_files.listed_as IS 'size and time of change in the bank''s listing when it was read last';
COMMENT ON COLUMN statement_files.content IS 'its bytes: what was begun is finished from here, whatever the bank does with the file';
-- Banks may number the statements of each currency of an account from 1.
ALTER TABLE taken_statements ADD COLUMN currency text NOT NULL DEFAULT '';
