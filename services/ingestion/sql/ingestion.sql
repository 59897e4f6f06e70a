-- name: known_keys
-- Keys of payments among those given ($1 clients, $2 keys, of equal length).
SELECT p.client, p.idempotency_key, p.digest
FROM payments p JOIN unnest($1::text[], $2::text[]) AS k (client, idempotency_key) USING (client, idempotency_key);

-- name: known_account_requests
SELECT r.client, r.idempotency_key, r.digest
FROM account_requests r
JOIN unnest($1::text[], $2::text[]) AS k (client, idempotency_key) USING (client, idempotency_key);

-- name: known_refusals
-- Of records on a topic ($1) by lane and offset ($2, $3, of equal length) those that were refused.
SELECT r.lane, r.source_offset
FROM refused_records r JOIN unnest($2::integer[], $3::bigint[]) AS k (lane, source_offset) USING (lane, source_offset)
WHERE r.topic = $1;

-- name: known_forwards
-- The same of those that were sent on to another lane.
SELECT f.lane, f.source_offset
FROM forwarded_records f JOIN unnest($2::integer[], $3::bigint[]) AS k (lane, source_offset) USING (lane, source_offset)
WHERE f.topic = $1;

-- name: accounts
SELECT account, lane, currency, name, state FROM accounts WHERE account = ANY($1::text[]);

-- name: refundable
-- Accepted payments with whether they were refunded ($1 payment ids).
SELECT p.payment_id, p.lane, p.debtor_account, p.amount_minor, p.currency, p.rail, r.payment_id IS NOT NULL
FROM payments p LEFT JOIN refunds r USING (payment_id)
WHERE p.payment_id = ANY($1::uuid[]) AND p.state = 'accepted';

-- name: waiting_file
SELECT file_id, client, items, position FROM payment_files
WHERE finished_at IS NULL ORDER BY received_at, file_id LIMIT 1;

-- name: file_content
SELECT content FROM payment_files WHERE file_id = $1;

-- name: move_file
-- The position may only go on from where the intake found it.
UPDATE payment_files SET position = $3, finished_at = CASE WHEN $3 = items THEN $4::timestamptz END
WHERE file_id = $1 AND position = $2 RETURNING file_id;
