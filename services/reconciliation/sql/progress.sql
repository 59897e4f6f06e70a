-- name: progress
-- Expected items by what became of them, lines that wait, and open breaks, for whoever watches.
SELECT (SELECT count(*) FROM expected_items WHERE state = 1) AS matched,
       (SELECT count(*) FROM expected_items WHERE state = 1 AND side = -1) AS matched_debits,
       (SELECT jsonb_object_agg(currency, minor)
        FROM (SELECT currency, sum(abs(amount_minor)) AS minor FROM expected_items WHERE state = 1 GROUP BY currency) s)
       AS matched_sums,
       (SELECT count(*) FROM expected_items WHERE state = 0) AS open,
       (SELECT coalesce(sum(lines_count), 0)::bigint FROM statements)
       - (SELECT count(*) FROM statement_lines WHERE state IN (1, 2)) AS undecided_lines,
       (SELECT count(*) FROM breaks WHERE resolved_at IS NULL) AS open_breaks,
       (SELECT count(*) FROM statements) AS statements;
