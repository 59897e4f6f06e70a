-- name: progress
-- Expected items by what became of them, lines that wait, and open breaks, for whoever watches.
SELECT (SELECT count(*) FROM expected_items WHERE state = 1) AS matched,
       (SELECT count(*) FROM expected_items WHERE state = 1 AND side = -1) AS matched_debits,
       (SELECT coalesce(sum(amount_minor), 0)::bigint FROM expected_items WHERE state = 1) AS matched_minor,
       (SELECT count(*) FROM expected_items WHERE state = 0) AS open,
       (SELECT count(*) FROM statement_lines WHERE state = 0) AS waiting_lines,
       (SELECT count(*) FROM breaks WHERE resolved_at IS NULL) AS open_breaks,
       (SELECT count(*) FROM statements) AS statements,
       (SELECT count(*) FROM statement_shares) AS shares;
