-- name: statement_sums
-- All statements of an account together: what it opened with first, and the lines that the bank says followed.
SELECT s.nostro, s.currency, sum(s.lines_sum_minor)::bigint AS lines_minor, count(*) AS statements_count,
       (array_agg(s.opening_minor ORDER BY s.to_date, s.from_date, s.opened_at))[1] AS opening_minor
FROM statements s WHERE s.corrects IS NULL GROUP BY s.nostro, s.currency;
