-- A statement's rows at once. Measured: row by row each took three times as long to note, and live traffic was asked
-- at each of its rows whether it is watched.
DROP FUNCTION note_changed_row() CASCADE;

-- An update is a row gone and a row come: who reads them knows by the key that it is one.
CREATE FUNCTION note_changed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO pg_temp.changed_rows (table_name, before) SELECT TG_TABLE_NAME, row_to_json(o) FROM old_rows o;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO pg_temp.changed_rows (table_name, after) SELECT TG_TABLE_NAME, row_to_json(n) FROM new_rows n;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION watch_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT c.relname, w.operation, w.rows FROM pg_class c
                 CROSS JOIN (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
                                    ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS w (operation, rows)
                 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT c.relispartition AND NOT is_machinery(c.relname)
                   AND NOT EXISTS (SELECT FROM pg_trigger t
                                   WHERE t.tgrelid = c.oid AND t.tgname = 'watched_' || w.operation)
                 ORDER BY c.relname, w.operation LOOP
        EXECUTE format('CREATE TRIGGER watched_%1$s AFTER %1$s ON %2$I REFERENCING %3$s FOR EACH STATEMENT '
                       'WHEN (current_setting(''goodfunds.watching'', true) = ''on'') '
                       'EXECUTE FUNCTION note_changed_rows()', found.operation, found.relname, found.rows);
    END LOOP;
END $$;
