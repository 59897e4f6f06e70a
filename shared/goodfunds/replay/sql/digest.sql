-- name: digested_tables
-- What handlers write; of what the lanes keep for themselves only what is parked, which waits for a handler.
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND (c.relname = 'parked' OR NOT is_machinery(c.relname)) AND c.relname <> ALL ($1::text[])
ORDER BY c.relname;

-- name: digest_statement
-- $1 tables, $2 what counts of a row of each, $3 which rows do. One statement over all tables, so that they are
-- of one snapshot. Sums do not know an order; two hashes of a row make 128 bits, and a NULL has another than an empty text.
-- Hashed once more, since a row's hash is a sum of its values' hashes: two rows that swap a value could sum up to the same.
SELECT string_agg(format(
    'SELECT %2$L AS table_name, count(*) AS rows,
            encode(sha256(convert_to(concat_ws('':'', count(*),
                sum(hashint8extended(hash_record_extended(r, 1), 1)::numeric),
                sum(hashint8extended(hash_record_extended(r, 2), 2)::numeric)), ''UTF8'')), ''hex'') AS digest
     FROM (SELECT ROW(%3$s) AS r FROM %1$I.%2$I AS t WHERE %4$s) q',
    current_schema(), name, told, counted), ' UNION ALL ' ORDER BY name) AS statement
FROM unnest($1::text[], $2::text[], $3::text[]) AS of_tables (name, told, counted);
