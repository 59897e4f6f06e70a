-- name: make_changed_rows
CREATE TEMPORARY TABLE IF NOT EXISTS changed_rows (
    place      bigint GENERATED ALWAYS AS IDENTITY,
    table_name text NOT NULL,
    before     json,
    after      json
) ON COMMIT DELETE ROWS;

-- name: watched_tables
SELECT c.relname AS table_name,
       ARRAY(SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
             WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY array_position(i.indkey::smallint[], a.attnum))
           AS key,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype,
                                'real'::regtype, 'double precision'::regtype)) AS numbers,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND (a.atttypid = 'timestamptz'::regtype OR a.attidentity <> '')) AS told_by_the_clock
FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'watched_insert'
WHERE c.relnamespace = current_schema()::regnamespace;

-- name: watch
SELECT set_config('goodfunds.watching', 'on', true);

-- name: changed_rows
SELECT table_name, before, after FROM pg_temp.changed_rows ORDER BY place;

-- name: forget_changed_rows
TRUNCATE pg_temp.changed_rows;
