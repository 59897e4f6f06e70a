-- name: progress
-- Payments by state and currency, for whoever watches.
SELECT state, currency, count(*) AS payments_count, sum(amount_minor)::bigint AS amount_minor
FROM payment_states GROUP BY state, currency ORDER BY state, currency;

-- name: last_requested_date
SELECT max(requested_date) FROM batches;

-- name: statements_taken
-- The bank's statements that the gateway has read to their end.
SELECT count(*) FROM bank_messages WHERE kind = 'camt.053' AND finished_at IS NOT NULL;
