-- name: pin_text_output
SELECT set_config(s.setting, s.value, true)
FROM unnest($1::text[], $2::text[]) AS s (setting, value);

-- name: digest_statement
-- One statement over all tables, so that they are of one snapshot. Sums do not know an order; two halves of a hash
-- make 128 bits, and ROW() tells a NULL from an empty text.
SELECT string_agg(format(
    'SELECT %1$L::text AS table_name, count(*) AS rows,
            encode(sha256(convert_to(concat_ws('':'', count(*),
                sum((''x'' || substr(h.digest, 1, 16))::bit(64)::bigint),
                sum((''x'' || substr(h.digest, 17, 16))::bit(64)::bigint)), ''UTF8'')), ''hex'') AS digest
     FROM %2$I.%1$I t CROSS JOIN LATERAL (SELECT md5(ROW(t.*)::text)) h (digest)',
    c.relname, n.nspname), ' UNION ALL ' ORDER BY c.relname) AS statement
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS left_out (name)
                  WHERE c.relname = left_out.name
                     OR right(left_out.name, 1) = '*' AND starts_with(c.relname, rtrim(left_out.name, '*')));
