-- name: statement_sums
-- The lines that the bank says its statements of an account have, all together.
SELECT nostro, currency, sum(lines_sum_minor)::bigint AS lines_minor, count(*) AS statements_count
FROM statements WHERE corrects IS NULL GROUP BY nostro, currency;
