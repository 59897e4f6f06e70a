-- name: known_keys
-- Keys of payments among those given ($1 clients, $2 keys, of equal length).
SELECT p.client, p.idempotency_key, p.digest
FROM payments p JOIN unnest($1::text[], $2::text[]) AS k (client, idempotency_key) USING (client, idempotency_key);

-- name: known_account_requests
SELECT r.client, r.idempotency_key, r.digest
FROM account_requests r
JOIN unnest($1::text[], $2::text[]) AS k (client, idempotency_key) USING (client, idempotency_key);

-- name: accounts
SELECT account, lane, currency, name, state FROM accounts WHERE account = ANY($1::text[]);

-- name: refundable
-- Accepted payments with whether they were refunded ($1 payment ids).
SELECT p.payment_id, p.lane, p.debtor_account, p.amount_minor, p.currency, p.rail, r.payment_id IS NOT NULL
FROM payments p LEFT JOIN refunds r USING (payment_id)
WHERE p.payment_id = ANY($1::uuid[]) AND p.state = 'accepted';

-- name: insert_file
INSERT INTO payment_files (file_id, client, message_id, sha256, format, items, sums_minor, content, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (client, message_id) DO NOTHING RETURNING file_id;

-- name: file_by_message
SELECT file_id, sha256 FROM payment_files WHERE client = $1 AND message_id = $2;

-- name: file_by_id
-- Its payments are those with its keys, MsgId/1/1 and so on; another file's MsgId may begin with this one's.
SELECT f.file_id, f.client, f.message_id, f.format, f.items, f.sums_minor, f.position, f.received_at, f.finished_at,
       count(*) FILTER (WHERE p.state = 'accepted') AS accepted,
       count(*) FILTER (WHERE p.state = 'rejected') AS rejected
FROM payment_files f
LEFT JOIN payments p ON p.client = f.client AND p.idempotency_key >= f.message_id || '/'
     AND p.idempotency_key < f.message_id || '0'
     AND substr(p.idempotency_key, length(f.message_id) + 2) ~ '^[0-9]+/[0-9]+$'
WHERE f.file_id = $1
GROUP BY f.file_id;

-- name: waiting_file
SELECT file_id, client, items, position FROM payment_files
WHERE finished_at IS NULL ORDER BY received_at, file_id LIMIT 1;

-- name: file_content
SELECT content FROM payment_files WHERE file_id = $1;

-- name: move_file
-- The position may only go on from where the intake found it.
UPDATE payment_files SET position = $3, finished_at = CASE WHEN $3 = items THEN $4::timestamptz END
WHERE file_id = $1 AND position = $2 RETURNING file_id;
